"""PP-OCRv4, the published reader of text in chapter 14: two ONNX files, run without the package that carries them."""

import numpy as np

# How the network's authors widen what it marks, which is narrower than the text: this times area over circumference.
_WIDEN = 1.6
_MARKED = 0.3
_LEAST = 5  # pixels of the enlarged picture
_READ_AT = 48  # the height of a line that the second network reads


class Reader:
    """Finds lines of digits in a grey picture, 0 paper and 1 ink, and reads them; only digits are let speak."""

    def __init__(self, scale: float) -> None:
        """``scale``: by how much a picture is enlarged. Raises CourseError where the files cannot be had."""
        import onnxruntime

        from course_utils import data

        files = data.fetch.fetch("ppocr")
        one_thread = onnxruntime.SessionOptions()
        one_thread.intra_op_num_threads = 1
        self._marks, self._reads = (
            onnxruntime.InferenceSession(files[f"ch_PP-OCRv4_{part}_infer.onnx"], one_thread) for part in ("det", "rec")
        )
        self.scale = scale
        # Output 0 is the blank between two characters, the others stand in the order of this list.
        characters = self._reads.get_modelmeta().custom_metadata_map["character"].splitlines()
        self.outputs = len(characters) + 2  # with the blank and the space
        self._digits = np.array([0, *(characters.index(str(k)) + 1 for k in range(10))])

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes, (lines, 4), in pixels of the picture, (height, width), and the text of each."""
        from scipy import ndimage

        margin = 8
        big = ndimage.zoom(np.pad(picture, margin, mode="edge"), self.scale, order=1)
        big = np.pad(big, [(0, -side % 32) for side in big.shape], mode="edge")
        marked = ndimage.label(_run(self._marks, big)[0] > _MARKED)[0]
        boxes, texts = [], []
        for y, x in ndimage.find_objects(marked):
            high, wide = y.stop - y.start, x.stop - x.start
            if min(high, wide) < _LEAST:
                continue
            more = int(_WIDEN * high * wide / (2 * (high + wide)))
            top, left = max(0, y.start - more), max(0, x.start - more)
            line = big[top : y.stop + more, left : x.stop + more]
            steps = _run(self._reads, ndimage.zoom(line, _READ_AT / len(line), order=1))
            texts.append(text_of(steps[:, self._digits].argmax(axis=1)))
            boxes.append((top, left, y.stop + more, x.stop + more))
        return np.array(boxes, float).reshape(-1, 4) / self.scale - margin, np.array(texts, object)


def text_of(steps: np.ndarray) -> str:
    """0 for the blank, k + 1 for the digit k → the digits; one counts once until another or the blank comes."""
    before = np.concatenate([[0], steps[:-1]])
    return "".join(str(k - 1) for k in steps[(steps > 0) & (steps != before)])


def _run(network: object, picture: np.ndarray) -> np.ndarray:
    paper_is_one = 1 - np.clip(picture, 0, 1.2) / 0.6  # from 1, white, to -1, black
    return network.run(None, {"x": np.tile(paper_is_one, (1, 3, 1, 1)).astype("float32")})[0][0]
