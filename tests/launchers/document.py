"""The tables of docs/launchers.md: what a test has seen is compared with what stands there, or
written there with --write. A table is named by a comment line before it."""
import os
import re
import sys

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs',
                     'launchers.md')
WRITE = '--write' in sys.argv
if WRITE:
    sys.argv.remove('--write')


def _lines(header, rows):
    cells = [header, ['---'] * len(header), *rows]
    return ['| ' + ' | '.join(row) + ' |' for row in cells]


def check(test, name, header, rows):
    """Fails `test` where the file says something else; with --write the file is made to agree."""
    seen = '\n'.join(_lines(header, rows))
    with open(_PATH, encoding='utf-8') as file:
        text = file.read()
    place = re.search(rf'<!-- table {name} -->\n(.*?)(?=\n\n|\n?\Z)', text, re.S)
    test.assertTrue(place, f'no place for table {name} in docs/launchers.md')
    if WRITE:
        with open(_PATH, 'w', encoding='utf-8') as file:
            file.write(text[:place.start(1)] + seen + text[place.end(1):])
    else:
        test.assertEqual(place[1], seen, f'docs/launchers.md, table {name}: see --write')
