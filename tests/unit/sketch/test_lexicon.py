"""The shipped word lists: well formed, without overlap, and enough to tell languages apart."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections import Counter
from importlib import resources

import pytest

from stillwatch.sketch.unicode_table import _fold

LEXICON = tomllib.loads(resources.files("stillwatch.sketch").joinpath("data/lexicon.toml").read_text("utf-8"))
STOPWORDS = {language: table["stopwords"] for language, table in LEXICON["languages"].items()}
TOPICS = LEXICON["topics"]

LATIN = {"en", "es", "fr", "de", "pt", "it", "nl", "pl", "id", "tr", "vi", "sv", "ro", "cs"}
PAIRS = {"zh", "ja", "ko"}  # looked up two characters at a time
FEWEST = {"en": 50, "zh": 25, "es": 15, "fr": 15, "de": 15, "pt": 15, "ru": 15, "ja": 15, "ko": 15}
NAMES = {
    "mathematics", "physics", "chemistry", "biology", "medicine", "law", "finance", "economics", "programming",
    "data_science", "machine_learning", "security", "systems", "agents_tools", "reasoning_logic", "writing_fiction",
    "business_mail", "education", "history_politics", "society_religion", "travel_food", "sports_games",
    "home_health_lifestyle", "customer_support",
}  # fmt: skip
LETTERS = {
    "ru": r"[а-я]+",
    "zh": r"[\u4e00-\u9fff]+",
    "ja": r"[\u3041-\u30ff\u4e00-\u9fff]+",
    "ko": r"[\uac00-\ud7a3]+",
}  # every other language: plain a to z

SENTENCES = {
    "en": [
        "Could you explain how the moon pulls on the sea when it is on the far side?",
        "My neighbours have painted their fence, and now they want to know what you think of it.",
        "There were seven apples in the basket, but not one of them was ripe.",
    ],
    "es": [
        "¿Puede explicarme por qué el gato de la vecina duerme siempre sobre las mesas?",
        "Cuando llegue el verano, los niños también quieren nadar en el río con sus primos.",
        "No hay pan para la cena, pero tiene muy buena pinta la sopa que está en la olla.",
    ],
    "fr": [
        "Pouvez-vous me dire dans quelle rue se trouve la boulangerie qui est ouverte le dimanche ?",
        "Il pleut depuis ce matin, mais les enfants sont sortis avec leur chien.",
        "Nous avons planté des tomates sur le balcon, et elles sont déjà très rouges.",
    ],
    "de": [
        "Kannst du mir sagen, wie man einen Fahrradschlauch ohne Werkzeug wechselt und nicht flucht?",
        "Die Katze sitzt auf dem Dach und wird nicht herunterkommen, wenn der Hund im Hof ist.",
        "Wir haben gestern einen Kuchen gebacken, aber er ist leider nur aus Versehen süß.",
    ],
    "pt": [
        "Você pode me dizer onde fica a padaria que não fecha aos domingos?",
        "O vento levou o chapéu do meu avô até a praia, e ele não foi buscar.",
        "As crianças já estão com sono, mas ainda não acabou a festa da sua tia.",
    ],
    "it": [
        "Che cosa ha detto il nonno quando gli hai portato la torta della zia?",
        "Non ho ancora capito perché il treno per Bologna parte sempre con dieci minuti di ritardo.",
        "Gli uccelli sono tornati nella piazza, ma questa volta anche i gatti li aspettano.",
    ],
    "nl": [
        "Kun je mij vertellen hoe laat het museum op zondag sluit, en of er nog kaarten zijn?",
        "De buurman heeft een boot gekocht, maar hij kan niet zwemmen.",
        "Wat moeten wij met al deze peren doen als het straks weer gaat vriezen?",
    ],
    "pl": [
        "Czy możesz mi powiedzieć, jak dojechać do muzeum, gdy autobus już nie kursuje?",
        "Kot sąsiadki jest bardzo leniwy, ale na widok ryby wstaje od razu.",
        "Nie wiem, kiedy przyjdzie zima, ale drzewa przed domem są już całkiem czerwone.",
    ],
    "id": [
        "Apakah kamu tahu di mana saya bisa membeli buah yang segar untuk ibu?",
        "Kucing itu tidak mau turun dari atap karena anjing tetangga masih ada di bawah.",
        "Kami sudah menunggu kereta ini sejak pagi, dan mereka belum juga datang.",
    ],
    "tr": [
        "Bana bu pencere neden her gece biraz daha ses çıkarıyor, söyler misin?",
        "Kedi çok yorgun ama köpek kadar değil, çünkü bütün gün uyudu.",
        "Yarın hava nasıl olur bilmiyorum, ancak biz deniz için hazırız ve sabah erken çıkıyoruz.",
    ],
    "vi": [
        "Bạn có biết vì sao con mèo của tôi không thích cá không?",
        "Chúng tôi sẽ về quê vào mùa hè này với những người bạn cũ.",
        "Nếu trời mưa thì trẻ con phải chơi trong nhà và đọc các truyện rất hay.",
    ],
    "sv": [
        "Kan du berätta för mig var man köper bröd när det är söndag?",
        "Hunden har inte ätit något sedan igår, men han är glad och vill ut på ängen.",
        "Jag skulle vilja veta hur mycket snö som faller här efter jul.",
    ],
    "ro": [
        "Poți să îmi spui de ce nu cântă cocoșul când este ceață pe deal?",
        "Am pus merele în coș, dar acum nu mai sunt decât două pentru bunica.",
        "Pisica și câinele au dormit lângă sobă, fără să se certe, după o zi foarte lungă.",
    ],
    "cs": [
        "Můžeš mi říct, proč je ta stará lípa u řeky tak křivá a jak je vysoká?",
        "Děti byly venku, když začalo pršet, ale nebylo jim to líto, protože už jsou velké.",
        "Nevím, kde jsem nechal klíče, které mi dal soused, ani jejich pouzdro.",
    ],
}


def votes(text: str) -> Counter[str]:
    """How many words of `text` each language lists."""
    words = re.findall(r"[^\W\d_]+", _fold(text))
    return Counter(language for word in words for language, listed in STOPWORDS.items() if word in listed)


def winner(text: str) -> str | None:
    """The language with the most votes; None where two share the first place."""
    first, second = [*votes(text).most_common(2), ("", 0), ("", 0)][:2]
    return first[0] if first[1] > second[1] else None


def test_every_topic_and_language_is_there() -> None:
    assert set(LEXICON) == {"languages", "topics"}
    assert set(STOPWORDS) == LATIN | {"rot13"} == set(SENTENCES) | {"rot13"}
    assert all(set(table) == {"stopwords"} for table in LEXICON["languages"].values())
    assert set(TOPICS) == NAMES
    for topic, lists in TOPICS.items():
        assert set(lists) == set(FEWEST), topic


@pytest.mark.parametrize("language", sorted(FEWEST))
def test_lists_have_the_agreed_length(language: str) -> None:
    for topic, lists in TOPICS.items():
        assert FEWEST[language] <= len(lists[language]) <= 70, topic


@pytest.mark.parametrize("language", sorted(FEWEST))
def test_no_word_is_listed_twice(language: str) -> None:
    counts = Counter(word for lists in TOPICS.values() for word in lists[language])
    assert [word for word, count in counts.items() if count > 1] == []
    assert set(counts).isdisjoint(STOPWORDS.get(language, []))


@pytest.mark.parametrize("language", sorted(FEWEST))
def test_words_are_in_normalised_form(language: str) -> None:
    letters = re.compile(LETTERS.get(language, "[a-z][a-z0-9]+"))
    for topic, lists in TOPICS.items():
        for word in lists[language]:
            assert word == _fold(word), (topic, word)
            assert letters.fullmatch(word), (topic, word)
            assert language not in PAIRS or len(word) == 2, (topic, word)


@pytest.mark.parametrize("language", sorted(STOPWORDS))
def test_stopwords_are_short_plain_and_distinct(language: str) -> None:
    words = STOPWORDS[language]
    assert 25 <= len(words) <= 40
    assert len(set(words)) == len(words)
    assert all(re.fullmatch("[a-z]{1,8}", word) for word in words)


def test_rot13_is_the_rot13_of_short_english_words() -> None:
    plain = [codecs.decode(word, "rot13") for word in STOPWORDS["rot13"]]
    assert all(2 <= len(word) <= 5 for word in plain)
    assert {"the", "of", "and", "to", "in", "is", "you", "that"} <= set(plain)
    assert set(STOPWORDS["rot13"]).isdisjoint(STOPWORDS["en"])


@pytest.mark.parametrize(
    ("language", "sentence"), [(language, text) for language, texts in SENTENCES.items() for text in texts]
)
def test_stopwords_name_the_language(language: str, sentence: str) -> None:
    assert winner(sentence) == language, votes(sentence).most_common(3)


@pytest.mark.parametrize("sentence", SENTENCES["en"])
def test_stopwords_name_rot13(sentence: str) -> None:
    assert winner(codecs.encode(sentence, "rot13")) == "rot13"


def test_text_without_a_listed_word_has_no_language() -> None:
    assert winner("12345 !!!") is None
    assert winner("") is None
