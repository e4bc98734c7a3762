(() => {
  "use strict";
  const config = {responsive: true, displaylogo: false};
  const draw = (plot) => {
    if (plot.dataset.drawn) return;
    plot.dataset.drawn = "yes";
    try {
      const figure = JSON.parse(plot.parentElement.querySelector("script").textContent);
      Plotly.newPlot(plot, {data: figure.data || [], layout: figure.layout || {}, frames: figure.frames || [], config});
    } catch (error) {
      plot.textContent = plot.getAttribute("aria-label") + " (The figure could not be drawn: " + error.message + ")";
    }
  };
  const plots = document.querySelectorAll("figure.chart > .plot");
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
  }, {rootMargin: "800px"});
  plots.forEach((plot) => near.observe(plot));
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((part) => { part.open = true; });
    plots.forEach(draw);
  });
})();
