"""A learner's own CSV: what can be read is read, what is odd is named with its line, what cannot be used is refused."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data
from course_utils.data import messages
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
        ("one, two, billing\n", "row of another length", "Line 6 has not the 2 fields of the header"),
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
    monkeypatch.setattr(messages, "MOST_BYTES", 2**20)
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
    unique = list({" ".join(text.casefold().split()): text for text in messages}.values())
    if len(unique) < 4 or unique[0].startswith("\ufeff"):
        return
    path = tmp_path_factory.mktemp("csv") / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(["text", "label"])
        writer.writerows([text, "ab"[i % 2]] for i, text in enumerate(unique))
    assert load(path).frame["text"].tolist() == [text.strip() for text in unique]
