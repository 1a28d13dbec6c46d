import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const BINARY = process.env['ROOMCAST_BIN'] ?? join(ROOT, 'target/debug/roomcast');
const COMMANDS = ['dev', 'control-plane', 'edge', 'token'] as const;
const PAGE = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');

interface Option {
  readonly flag: string;
  /** The name of the value, such as `TIME`; empty for a switch. */
  readonly value: string;
  readonly default: string;
}

test.each(COMMANDS)('every option of `%s` is documented with its default', (command) => {
  const documented = documentedOptions(command === 'token');
  const wrong = helpOptions(command).filter((option) => {
    const row = documented.find(({ flag }) => flag === option.flag);
    return row === undefined || row.value !== option.value || !row.default.includes(option.default);
  });
  expect(wrong).toEqual([]);
});

test('every documented option exists', () => {
  const existing = new Set(COMMANDS.flatMap((command) => helpOptions(command)).map(({ flag }) => flag));
  const documented = [...documentedOptions(false), ...documentedOptions(true)].map(({ flag }) => flag);
  expect(documented.filter((flag) => !existing.has(flag))).toEqual([]);
});

/** The options that `--help` prints, without `--help` itself. */
function helpOptions(command: string): Option[] {
  const help = execFileSync(BINARY, [command, '--help'], { encoding: 'utf8' });
  // A long description continues on further lines, which are indented more.
  const lines = help.replaceAll(/\n {10,}/g, ' ');
  return [...lines.matchAll(/^ +(?:-\w, )?(--[\w-]+)(?: <([^>]*)>)?(.*)$/gm)]
    .map(([, flag = '', value = '', text = '']) => ({ flag, value, default: defaultIn(text) }))
    .filter(({ flag }) => flag !== '--help');
}

function defaultIn(text: string): string {
  const [, found] = /\[default: ([^\]]*)\]/.exec(text) ?? [];
  return found === undefined ? '' : `\`${found}\``;
}

/** The rows of the page's tables: those about `roomcast token`, or all others. */
function documentedOptions(ofToken: boolean): Option[] {
  const sections = PAGE.split(/^(?=## )/m).filter(
    (section) => section.startsWith('## `roomcast token`') === ofToken,
  );
  return sections.flatMap((section) =>
    [...section.matchAll(/^\| `(--[\w-]+) ?([^`]*)` \| (.*?) \|/gm)].map(
      ([, flag = '', value = '', text = '']) => ({
        flag,
        value: value.replaceAll('\\|', '|'),
        default: text,
      }),
    ),
  );
}
