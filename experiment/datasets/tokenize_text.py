"""Text to tokens: trains a byte-level BPE as GPT-2's, or takes a given one, and writes what Megatron's indexed format
is made of. `superoffload dataset make` runs this with the Python of a stack; it has checked the files before.

    echo '{"texts": ["a.txt", "b.jsonl"], "out": "DIR", "vocabulary": 50257, "vocab": null, "merges": null}' |
        python tokenize_text.py

A .jsonl file is one document a line, its "text"; any other file is one document. Each document ends with
<|endoftext|>. Into DIR, which exists: tokens.bin (uint16 below a vocabulary of 65,500, else int32, as Megatron
chooses), lengths.bin (int32 a document) and, when trained, vocab.json and merges.txt. Progress goes to stderr; the last
line of stdout is {"documents": ..., "tokens": ..., "vocabulary": ..., "type": ...} or {"error": ...}.
"""

import json
import re
import sys
import time
from array import array
from itertools import islice

END = "<|endoftext|>"
PIECE = 1 << 13  # characters: small pieces keep the library quick and all cores at work
BATCH = 1 << 22  # characters


def documents(paths):
    """Every document; a byte order mark is no text."""
    for path in paths:
        with open(path, encoding="utf-8-sig", newline="\n") as file:
            if not path.endswith(".jsonl"):
                yield file.read()
                continue
            for line in file:
                if line.strip():
                    yield json.loads(line)["text"]


def pieces(text):
    """A long document in pieces whose tokens, one after the other, are those of the whole: GPT-2's pattern always
    begins a new word between a letter or digit and a line feed. Text without such a place stays whole."""
    start = 0
    word_end = re.compile(r"(?<=[^\W_])\n")
    while len(text) - start > PIECE:
        cut = word_end.search(text, start + PIECE)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:]


def train(paths, vocabulary, out):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # One less: <|endoftext|> is added as the last token, as in GPT-2, so that no text is ever taken for it.
    trainer = trainers.BpeTrainer(vocab_size=vocabulary - 1, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator((piece for text in documents(paths) for piece in pieces(text)), trainer)
    tokenizer.model.save(out)
    with open(f"{out}/vocab.json", encoding="utf-8") as file:
        ids = json.load(file)
    ids[END] = len(ids)
    # ASCII: Megatron reads the file in whatever encoding the locale has.
    with open(f"{out}/vocab.json", "w", encoding="ascii") as file:
        json.dump(dict(sorted(ids.items(), key=lambda item: item[1])), file)
    return tokenizer, ids


def given(vocab, merges):
    from tokenizers import Tokenizer, models, pre_tokenizers

    with open(vocab, encoding="utf-8") as file:
        ids = json.load(file)
    if not isinstance(ids, dict) or sorted(map(str, ids.values())) != sorted(map(str, range(len(ids)))):
        raise ValueError(f"{vocab}: expected an object of tokens, each with a number of its own from 0 up")
    if END not in ids:
        raise ValueError(f"{vocab}: has no {END}, which ends every document")
    missing = sorted(set(pre_tokenizers.ByteLevel.alphabet()) - set(ids))
    if missing:  # the library would leave out what it has no token for, without a word
        raise ValueError(f"{vocab}: has no token for {len(missing)} of the 256 bytes: expected a byte-level vocabulary")
    try:
        model = models.BPE.from_file(vocab, merges)
    except Exception as error:  # the library raises plain Exception
        raise ValueError(f"{merges}: does not fit {vocab}: {error}") from None
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer, ids


def tokenize(paths, tokenizer, ids, out):
    """Encodes in batches, which the library spreads over the cores."""
    kind = "uint16" if len(ids) < 65_500 else "int32"
    lengths = array("i")
    total, current, told = 0, 0, time.monotonic()
    stream = (marked for text in documents(paths) for marked in with_last(pieces(text)))
    with open(f"{out}/tokens.bin", "wb") as file:
        while batch := next_batch(stream):
            encodings = tokenizer.encode_batch([piece for piece, _ in batch], add_special_tokens=False)
            for (_, is_last), encoding in zip(batch, encodings, strict=True):
                tokens = array("H" if kind == "uint16" else "i", encoding.ids)
                if is_last:
                    tokens.append(ids[END])
                write(file, tokens)
                current += len(tokens)
                if is_last:
                    lengths.append(current)
                    total, current = total + current, 0
            if time.monotonic() - told > 1:
                told = time.monotonic()
                print(f"{len(lengths)} documents, {(total + current) / 1e6:.1f} million tokens", file=sys.stderr)
    with open(f"{out}/lengths.bin", "wb") as file:
        write(file, lengths)
    return {"documents": len(lengths), "tokens": total, "vocabulary": len(ids), "type": kind}


def with_last(items):
    """Each item, and whether it is the last one."""
    items = list(items)
    return [(item, i == len(items) - 1) for i, item in enumerate(items)]


def next_batch(stream):
    """Some pieces: a batch of text, or 4,096 short documents."""
    batch, size = [], 0
    for piece, is_last in islice(stream, 4096):
        batch.append((piece, is_last))
        size += len(piece)
        if size >= BATCH:
            break
    return batch


def write(file, numbers):
    """Little-endian, whatever the machine."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    numbers.tofile(file)


def main():
    request = json.load(sys.stdin)  # thousands of files are too many for an argument
    texts, out = request["texts"], request["out"]
    try:
        if request["vocab"] is None:
            print("learning the vocabulary", file=sys.stderr)
            tokenizer, ids = train(texts, request["vocabulary"], out)
        else:
            tokenizer, ids = given(request["vocab"], request["merges"])
        result = tokenize(texts, tokenizer, ids, out)
    except (ValueError, KeyError, OSError, OverflowError) as error:
        print(json.dumps({"error": str(error)}))
        sys.exit(1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
