"""Elicitation cues: what a prompt asks the model to produce, as readable phrase patterns.

*.toml       the cues, per topic and language     lexicon.toml  word groups that the cues share
classes.toml the boolean formulas over cues       hanzi.toml    simplified -> traditional characters
phrases.py   phrase -> byte regular expression    book.py       reads, checks and numbers all of it
engines.py   Hyperscan and RE2, same results      formulas.py   formulas -> numpy
anchors.py   what a match must hold: its words    prefilter.py  which sentences hold that, in one compiled walk
sieve.py     the prefilter of the whole book      own_files.py  what is kept between runs
"""
