"""A learner's own CSV: what can be read is read, what is odd is named with its line, what cannot be used is refused."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data
from course_utils.data import csv_file, labels
from course_utils.errors import CourseError

PLAIN = (
    "text,label\nthe invoice is wrong,billing\nI cannot log in,account\nrefund please,billing\nnew password,account\n"
)


# Some lines of it: a guess needs something to go by.
FRENCH = """déjà payé, la facture est encore là depuis trois semaines;facturation
mot de passe oublié à l'école, et la secrétaire ne reçoit pas le courriel;compte
où est passé mon reçu? je l'avais téléversé hier après le déjeuner;facturation
ça ne marche pas: la fenêtre reste grisée quand j'ouvre l'application;compte
le prélèvement a été effectué deux fois au mois de février, pouvez-vous vérifier;facturation
impossible de créer un deuxième accès pour ma collègue comptable;compte
"""


@pytest.fixture
def write(tmp_path):
    def write_(content: str | bytes, encoding: str = "utf-8"):
        path = tmp_path / "tickets.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write_


def load(path):
    return data.load_csv(path, text="text", label="label")


def kinds(found):
    return [finding.kind for finding in found.findings]


def test_a_plain_file_has_nothing_to_complain_about(write):
    found = load(write(PLAIN))
    assert found.frame["text"].tolist()[0] == "the invoice is wrong" and found.frame["line"].tolist() == [2, 3, 4, 5]
    assert found.class_names == ("account", "billing") and found.findings == ()
    assert (found.encoding, found.separator) == ("utf-8", ",")
    assert "4 messages, 2 classes, 0 findings" in repr(found)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_usual_separator_is_found_out(write, separator):
    content = f"id{separator}label{separator}text\n" + "".join(
        f"{i}{separator}{'ab'[i % 2]}{separator}message number {i}\n" for i in range(6)
    )
    found = load(write(content))
    assert found.separator == separator and len(found.frame) == 6


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(write, codec):
    found = load(write(PLAIN.replace("wrong", "falsch – für 5 €"), codec))
    assert "für 5 €" in found.frame["text"].tolist()[0] and found.findings == ()


def test_an_older_encoding_is_guessed_and_said(write):
    found = load(write("text;label\n" + FRENCH, "cp1252"))
    assert "encoding guessed" in kinds(found)
    assert "déjà payé" in found.frame["text"].tolist()[0]
    assert "line 2" in str(found.findings[0])


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        (
            ["Die Rechnung für März fehlt, können Sie prüfen?", "Ich kann mich nicht mehr anmelden, größer als nötig"],
            "cp1252",
        ),
        (["Не могу войти в систему, забыл пароль", "Счёт выставлен неверно, помогите"], "cp1251"),
    ],
)
def test_code_pages_of_other_places(write, rows, encoding):
    content = "text;label\n" + "".join(f"{row} {i};{'ab'[i % 2]}\n" for i in range(4) for row in rows)
    assert load(write(content, encoding)).frame["text"].tolist()[0] == f"{rows[0]} 0"


def test_chinese_in_its_older_encoding(write):
    rows = [
        "发票金额不对请帮我看看,账单",
        "我登录不了系统了怎么办,账号",
        "上个月的费用多扣了一次,账单",
        "密码忘记了收不到验证码,账号",
    ]
    found = load(write("text,label\n" + "\n".join(rows) + "\n", "gb18030"))
    assert found.frame["text"].tolist()[1] == "我登录不了系统了怎么办"


def test_quotes_line_breaks_and_doubled_quotes(write):
    content = 'text,label\n"first line\nsecond, with a comma",a\n"she said ""no""",b\nthird,a\nfourth,b\n'
    found = load(write(content))
    assert found.frame["text"].tolist()[:2] == ["first line\nsecond, with a comma", 'she said "no"']
    assert found.frame["line"].tolist() == [2, 4, 5, 6], "lines are those of the file, as an editor counts them"


def test_windows_and_old_line_ends(write):
    assert len(load(write(PLAIN.replace("\n", "\r\n"))).frame) == 4


@pytest.mark.parametrize(
    ("row", "kind", "sentence"),
    [
        ("\n", "blank row", "Line 6 is blank; left out."),
        (",\n", "blank row", "Line 6 is blank"),
        (",billing\n", "no text", "Line 6 has nothing in 'text'; left out."),
        ("help,\n", "no label", "Line 6 has nothing in 'label'"),
        ("one, two, billing\n", "row of another length", "Line 6 has more fields than the 2 that the header names"),
        ("The  invoice is WRONG,billing\n", "repeated message", "Line 6 repeats an earlier message"),
        ("i cannot log in,billing\n", "contradicting label", r"line 6 says 'billing', line 3 'account'"),
        ("a wish,feature\n", "single example", r"1 class has a single example ('feature'; line 6)"),
        ("x" * 10_001 + ",billing\n", "very long message", "Line 6: more than 10,000 characters"),
    ],
)
def test_each_oddity_is_named_with_its_line(write, row, kind, sentence):
    found = load(write(PLAIN + row))
    assert kinds(found) == [kind] and sentence in str(found.findings[0])
    assert found.findings[0].lines == (6,)
    dropped = kind != "very long message"
    assert found.findings[0].dropped == dropped and len(found.frame) == (4 if dropped else 5)


def test_many_lines_are_counted_not_listed(write):
    found = load(write(PLAIN + ",billing\n" * 40))
    assert "Lines 6, 7, 8, 9, 10 and 35 more have nothing in 'text'" in str(found.findings[0])


def test_labels_may_be_numbers_and_stay_what_they_are(write):
    found = load(write("text,label\na,1\nb,2\nc,1\nd,2\n"))
    assert found.class_names == ("1", "2")


def test_labels_that_differ_in_capitals_are_pointed_out(write):
    found = load(write(PLAIN + "again,Billing\nand again,Billing\n"))
    assert kinds(found) == ["labels that look alike"] and "'Billing' and 'billing'" in str(found.findings[0])


ODD = [
    "😀🎉 thanks",
    "مرحبا، الفاتورة خاطئة",
    "<b>bold</b> & <script>alert(1)</script>",
    "=cmd()|'/c calc'!A0",
    "@SUM(A1)",
    "-",
]


def test_emoji_right_to_left_markup_and_formulas_are_plain_text(write, tmp_path):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["text", "label"])
    writer.writerows([text, "ab"[i % 2]] for i, text in enumerate(ODD))
    assert load(write(out.getvalue())).frame["text"].tolist() == ODD


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("  \n \n", "is empty"),
        ("message,label\na,b\n", r"no column 'text'; it has 'message', 'label'"),
        ("txt,label\na,b\n", r"no column 'text'; it has 'txt', 'label'\. Did you mean text\?|Did you mean txt"),
        ("text;team\na;b\n", "no column 'label'; it has 'text', 'team'"),
        ("text,text,label\na,b,c\n", "2 columns called 'text'"),
        ("text,label\na,x\nb,x\n", r"has 1 class \('x'\)"),
        ("text,label\na,x\nb,y\nc,z\n", "has 0 classes .*3 classes have a single example"),
        ("text,label\n", "has 0 classes"),
        ('text,label\na,x\n"never closed,y\nb,x\n', "cannot be read from line 3 on"),
        ('text,label\n"closed"too early,x\n', "cannot be read from line 2 on"),
        (b"PK\x03\x04" + bytes(200), "an Excel workbook or a zip archive"),
        (b"text,label\n" + bytes(range(256)) * 40, "is not a text file"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(write, content, message):
    with pytest.raises(CourseError, match=message):
        load(write(content))


def test_a_missing_file_a_folder_and_one_column_twice(tmp_path):
    with pytest.raises(CourseError, match="cannot be read: No such file"):
        load(tmp_path / "none.csv")
    with pytest.raises(CourseError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(CourseError, match="both name the column 'text'"):
        data.load_csv(tmp_path / "none.csv", text="text", label="text")


def test_a_file_above_the_limit_is_refused_unread(write, monkeypatch):
    monkeypatch.setattr(csv_file, "MOST_BYTES", 2**20)
    with pytest.raises(CourseError, match=r"has 2 MiB, more than the 1 MiB that are read\. Take a sample"):
        load(write(b"x" * (2 * 2**20)))


def test_a_message_of_a_hundred_thousand_characters(write):
    found = load(write(PLAIN + '"' + "word " * 20_000 + '",billing\n'))
    assert len(found.frame) == 5 and kinds(found) == ["very long message"]


def test_a_hundred_thousand_rows(write):
    lines = "".join(f"message number {i} about case {i % 977},class {i % 7}\n" for i in range(100_000))
    path = write("text,label\n" + lines)
    began = time.process_time()
    found = load(path)
    print(f"100,000 rows: {time.process_time() - began:.1f} processor seconds")
    assert len(found.frame) == 100_000 and len(found.class_names) == 7


texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(lambda t: t.strip())


@given(st.lists(texts, min_size=4, max_size=12), st.sampled_from([",", ";", "\t", "|"]))
def test_whatever_is_written_comes_back(tmp_path_factory, messages, separator):
    unique = list({key: text for text in messages if (key := as_compared(text))}.values())
    if len(unique) < 4 or unique[0].startswith("\ufeff"):
        return
    path = tmp_path_factory.mktemp("csv") / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(["text", "label"])
        writer.writerows([text, "ab"[i % 2]] for i, text in enumerate(unique))
    assert load(path).frame["text"].tolist() == [text.strip() for text in unique]


# ---- what other programs write: none of it is a mistake


def as_compared(text: str) -> str:
    return " ".join(labels.visible(text).casefold().split())


ROWS = [("the invoice is wrong, again", "billing"), ("I cannot log in", "account"), ("refund; please", "billing"),
        ('she said "no"', "account")]  # fmt: skip
SEPARATORS = [",", ";", "\t", "|"]


def quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


def texts_and_labels(found):
    return list(zip(found.frame["text"], found.frame["label"], strict=True))


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(lambda s, t, c: f"{quoted(t)}{s}{c}", id="the last separator is missing"),
        pytest.param(lambda s, t, c: f"{quoted(t)}{s}{c}{s}{s}", id="one too many"),
        pytest.param(lambda s, t, c: f"{quoted(t)}{s}{c}{s}{s} {s}\u200b", id="three too many, with blanks"),
        pytest.param(lambda s, t, c: f"  {quoted(t)}{s} {quoted(c)}", id="blanks before the quotes"),
        pytest.param(lambda s, t, c: f"{quoted(t)} {s}{quoted(c)}  ", id="blanks behind the quotes"),
        pytest.param(lambda s, t, c: f"\u00a0{quoted(t)}{s}\u3000{quoted(c)}", id="wide blanks before the quotes"),
        pytest.param(lambda s, t, c: f"{quoted(t)}\u00a0{s} {quoted(c)}", id="blanks on both sides"),
    ],
)
def test_habits_of_other_programs_lose_no_row(write, separator, line):
    header = separator.join(["text", "label", "notes"])
    found = load(write("\n".join([header, *(line(separator, *row) for row in ROWS)]) + "\n"))
    assert texts_and_labels(found) == ROWS
    assert found.findings == ()


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("end", ["", "{s}", "{s}{s} {s}"])
def test_a_header_with_separators_at_its_end(write, separator, end):
    end = end.format(s=separator)
    rows = [f"{quoted(text)}{separator}{label}" for text, label in ROWS]
    found = load(write("\n".join([f"text{separator}label{end}", *rows])))
    assert texts_and_labels(found) == ROWS and found.findings == ()
    mixed = [row + end * (k % 2) for k, row in enumerate(rows)]
    assert texts_and_labels(load(write("\n".join([f"text{separator}label{end}", *mixed])))) == ROWS


@pytest.mark.parametrize("notes", [1, 3, 4], ids="{} of 4 rows have notes".format)
@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_column_that_the_header_does_not_name_costs_no_row(write, separator, notes):
    rows = [f"{quoted(text)}{separator}{label}{separator}" for text, label in ROWS]
    rows = [row + "seen" * (k < notes) for k, row in enumerate(rows)]
    found = load(write("\n".join([f"text{separator}label{separator}", *rows]) + "\n"))
    assert texts_and_labels(found) == ROWS and found.findings == ()


@pytest.mark.parametrize("first", ["sep={s}", "SEP={s}", '"sep={s}"', "sep={s}{s}", "Sep = {s}"])
@pytest.mark.parametrize("separator", [*SEPARATORS, "^"])
def test_a_first_line_that_names_the_separator(write, first, separator):
    lines = [first.format(s=separator), f"text{separator}label"]
    lines += [f"{quoted(text)}{separator}{label}" for text, label in ROWS]
    found = load(write("\r\n".join(lines)))
    assert texts_and_labels(found) == ROWS
    assert found.separator == separator and found.frame["line"].tolist() == [3, 4, 5, 6], "lines are the file's"
    found = load(write("\r\n".join(["", " ", *lines])))
    assert texts_and_labels(found) == ROWS
    assert found.separator == separator and found.frame["line"].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize("nothing", ["\u2800", "\u200b\u200b", " \u3164 ", "\ufe0f"])
def test_a_message_of_what_cannot_be_seen_is_none(write, nothing):
    found = load(write(PLAIN + f"{nothing},billing\n"))
    assert kinds(found) == ["no text"] and len(found.frame) == 4
    found = load(write(PLAIN + f"i can{nothing.strip()}not log in,account\n"))
    assert kinds(found) == ["repeated message"]


@pytest.mark.parametrize(
    "header", ['"text" ,"label" ', '\u00a0"text","label"', '"text",\t"label"', '"text"\u3000,"label"']
)
def test_blanks_beside_quotes_are_a_habit_in_the_header_too(write, header):
    found = load(write(header + PLAIN.removeprefix("text,label")))
    assert len(found.frame) == 4 and found.findings == ()


def test_quotes_behind_a_backslash(write):
    found = load(write('text,label\n"she said \\"no\\", twice",a\n"another, one",b\nthird,a\nfourth,b\n'))
    assert found.frame["text"].tolist()[:2] == ['she said "no", twice', "another, one"]


def test_a_row_with_more_in_it_than_the_header_is_left_out_and_the_others_are_not(write):
    found = load(write(PLAIN.replace("label\n", "label,,\n", 1) + "one, two, three\none more,billing,,\n"))
    assert kinds(found) == ["row of another length"] and found.findings[0].lines == (6,)
    assert len(found.frame) == 5


def test_a_refusal_says_how_many_rows_were_left_out_and_why(write):
    spoilt = "".join(f"message {k}, with a comma,billing\n" for k in range(90)) + "only a text\n" * 14
    with pytest.raises(CourseError) as refused:
        load(write("text,label\n" + spoilt + "good,billing\n"))
    said = str(refused.value)
    assert "105 rows were left out" in said
    assert "85 more have more fields than the 2 that the header names" in said and "have nothing in 'label'" in said


def test_a_refusal_is_short_however_long_the_header(write):
    names = ",".join(f"column{k}" for k in range(200_000))
    with pytest.raises(CourseError, match="has no column 'text'; it has 'column0', 'column1'") as refused:
        load(write(names + "\n"))
    assert len(str(refused.value)) < 1_000
    with pytest.raises(CourseError) as refused:
        data.load_csv(write("x" * 300_000 + ",y\na,b\n"), text="x", label="y")
    assert len(str(refused.value)) < 1_000


# ---- labels


def counted(write, names, tmp_path=None):
    return load(write("text,label\n" + "".join(f"message {k} of {k},{name}\n" for k, name in enumerate(names))))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        pytest.param(["Café", "Cafe\u0301", "x", "x"], ("Café", "x"), id="composed and decomposed"),
        pytest.param(["한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "x", "x"], ("x", "한국"), id="Hangul"),
        pytest.param(["bill\u200bing", "billing", "\ufeffbilling", "x", "x"], ("billing", "x"), id="zero width"),
        pytest.param(
            ["bil\u00adling", "billing\u200d", "\u200ebilling", "x", "x"], ("billing", "x"), id="hyphen, joiner"
        ),
        pytest.param(["bank feed", "bank\u00a0feed", "bank  feed ", "x", "x"], ("bank feed", "x"), id="blanks"),
        pytest.param(["1", "1.0", "1.00", "1.", "2", "2"], ("1", "2"), id="whole numbers"),
        pytest.param(["-1.0", "-1", "1", "1.0"], ("-1", "1"), id="signs"),
        pytest.param(["\x1b[31mbug\x1b[0m", "bug", "x", "x"], ("bug", "x"), id="escape codes"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_one_class(write, names, classes):
    found = counted(write, names)
    assert sorted(found.class_names) == sorted(classes) and len(found.frame) == len(names)
    blanks_only = all(" ".join(name.split()) in classes for name in names)
    assert kinds(found) == ([] if blanks_only else ["label written in several ways"])


def test_joiners_that_matter_stay(write):
    family, persian = "👨\u200d👩\u200d👧", "نمی\u200cخواهم"
    assert set(counted(write, [family, family, persian, persian]).class_names) == {family, persian}


@pytest.mark.parametrize("name", ["nan", "NaN", "N/A", "n/a", "#N/A", "NULL", "<NA>"])
def test_what_programs_write_for_nothing_is_no_class(write, name):
    found = counted(write, ["a", "b", "a", "b", name, name])
    assert found.class_names == ("a", "b")
    assert kinds(found) == ["label that says there is none"]
    assert found.findings[0].lines == (6, 7) and found.findings[0].dropped == 2 and name in str(found.findings[0])


@pytest.mark.parametrize("name", ["none", "NA", "-", "?"])
def test_what_may_be_a_class_or_nothing_is_pointed_out(write, name):
    found = counted(write, ["a", "b", "a", "b", name, name])
    assert name in found.class_names and kinds(found) == ["label that may be none"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("billing", "Billing"), ("bank feed", "bankfeed"), ("bank-feed", "bank_feed"), ("ｂｉｌｌ", "bill"),
     ("саrd", "card"), ("ΑΒ", "AB"), ("01", "1"), ("2,5", "2.5"), ("can’t", "can't"),
     ("billing.", "billing"), ("straße", "STRASSE"), ("1000", "1e3"), ("0", "-0"), ("1,50", "1.5")],
)  # fmt: skip
def test_labels_that_look_alike_stay_two_and_are_pointed_out(write, one, other):
    rows = [f'message {k} of {k},"{name}"\n' for k, name in enumerate([one, other, one, other])]
    found = load(write("text,label\n" + "".join(rows)))
    assert set(found.class_names) == {one, other} and kinds(found) == ["labels that look alike"]


@pytest.mark.parametrize(
    "names",
    [("-1", "0", "1"), ("C", "C++", "C#"), ("1.5", "15"), ("v1.5", "v15"), ("año", "ano"), ("+", "-"), ("😀", "😡")],
)
def test_labels_that_are_different_are_not_said_to_look_alike(names):
    assert labels.look_alike(names) == []


def test_a_thousand_pairs_of_labels_that_look_alike_are_few_findings(write):
    names = [
        form for k in range(500) for form in (f"class {'abcdefghij'[k % 10]}{k}", f"Class {'abcdefghij'[k % 10]}{k}")
    ]
    found = counted(write, names * 2)
    assert len(found.findings) < 10 and max(len(str(one)) for one in found.findings) < 500


letters = st.text(st.characters(categories=("Ll", "Lu", "Lo", "Nd")), min_size=1, max_size=6)


@given(st.lists(letters, min_size=2, max_size=5), st.data())
def test_invisible_characters_and_composition_never_make_a_class(names, drawn):
    import unicodedata

    for name in names:
        marked = list(unicodedata.normalize(drawn.draw(st.sampled_from(["NFC", "NFD"])), name))
        for _ in range(drawn.draw(st.integers(0, 3))):
            marked.insert(
                drawn.draw(st.integers(0, len(marked))), drawn.draw(st.sampled_from("\u200b\ufeff\u00ad\u2060"))
            )
        assert labels.tidy("".join(marked)) == labels.tidy(name)


@given(
    st.lists(texts, min_size=4, max_size=8),
    st.sampled_from([*SEPARATORS, "^"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.booleans(),
    st.booleans(),
)
def test_whatever_the_habits_the_rows_come_back(
    tmp_path_factory, messages, separator, codec, ending, surplus, declared, padded
):
    unique = list({key: text for text in messages if (key := as_compared(text))}.values())
    if len(unique) < 4:
        return
    lines = [f"sep={separator}"] if declared or separator == "^" else []
    lines.append(separator.join(["id", "text", "label", "notes"]))
    for k, text in enumerate(unique):
        blank = " " if padded and k % 2 else ""
        fields = [str(k), f"{blank}{quoted(text)}{blank}", "ab"[k % 2], *[""] * surplus[k % 8]]
        lines.append(separator.join(fields))
    path = tmp_path_factory.mktemp("csv") / "own.csv"
    path.write_bytes(ending.join(lines).encode(codec))
    found = load(path)
    assert found.frame["text"].tolist() == [text.strip() for text in unique]
    assert not [one for one in found.findings if one.dropped]


words = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=2, max_size=8)
DISGUISES = {
    "capitals": str.upper,
    "a capital": str.title,
    "a full stop": lambda name: f"{name}.",
    "a colon": lambda name: f"{name}:",
    "full width": lambda name: "".join(chr(ord(letter) + 0xFEE0) for letter in name),
    "a hyphen": lambda name: f"{name[0]}-{name[1:]}",
    "an underscore": lambda name: f"{name[0]}_{name[1:]}",
    "a blank": lambda name: f"{name[0]} {name[1:]}",
    "Cyrillic": lambda name: name.translate(str.maketrans("aeopcyx", "аеорсух")),
}


@given(words, st.sampled_from(sorted(DISGUISES)), words)
def test_a_name_in_disguise_is_one_class_or_said_to_look_alike(name, disguise, other):
    changed = DISGUISES[disguise](name)
    same = labels.tidy(changed) == labels.tidy(name)
    groups = labels.look_alike({labels.tidy(name), labels.tidy(changed)})
    assert same or groups == [sorted({labels.tidy(name), labels.tidy(changed)})]
    if labels.tidy(other) != labels.tidy(name):
        assert labels.look_alike({labels.tidy(name), labels.tidy(other)}) == []


@given(st.decimals(-1000, 1000, places=2), st.sampled_from(["{:+f}", "{:e}", "{:.4f}", "comma"]))
def test_a_number_written_otherwise_looks_like_itself(number, form):
    plain = f"{number:f}"
    changed = plain.replace(".", ",") if form == "comma" else form.format(number)
    assert changed == plain or labels.look_alike({plain, changed}) == [sorted({plain, changed})]
