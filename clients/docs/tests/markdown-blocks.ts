import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The path of the repository. */
export const ROOT = join(import.meta.dirname, '../../..');

/** A fenced code block. */
export interface Block {
  readonly language: string;
  /** The text after the language: a file name, `background`, or empty. */
  readonly info: string;
  readonly text: string;
}

/** Returns the code blocks of a page, or of one section. */
export function blocksOf(page: string, section?: string): Block[] {
  let text = readFileSync(join(ROOT, page), 'utf8');
  if (section !== undefined) {
    const parts = text.split(/^(?=## )/m);
    const found = parts.find((part) => part.startsWith(`## ${section}\n`));
    if (found === undefined) throw new Error(`${page} has no section "${section}"`);
    text = found;
  }
  return [...text.matchAll(/^```(\w+) ?(.*)\n([^]*?)^```$/gm)].map(
    ([, language = '', info = '', text = '']) => {
      return { language, info, text };
    },
  );
}

/** Returns the only block with this language and info. */
export function onlyBlock(blocks: readonly Block[], language: string, info = ''): Block {
  const found = blocks.filter((block) => block.language === language && block.info === info);
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Error(`found ${found.length} blocks \`${language} ${info}\`, expected 1`);
  return only;
}
