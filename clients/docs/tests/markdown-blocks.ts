import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository. */
export const ROOT = join(import.meta.dirname, '../../..');

/** A fenced block: what stands after its language, and its lines. */
export interface Block {
  readonly language: string;
  /** A file's name, or `background`. */
  readonly rest: string;
  readonly text: string;
}

/** The blocks of a page, or of one of its sections. */
export function blocksOf(page: string, section?: string): Block[] {
  let text = readFileSync(join(ROOT, page), 'utf8');
  if (section !== undefined) {
    const parts = text.split(/^(?=## )/m);
    const found = parts.find((part) => part.startsWith(`## ${section}\n`));
    if (found === undefined) throw new Error(`${page} has no section "${section}"`);
    text = found;
  }
  return [...text.matchAll(/^```(\w+) ?(.*)\n([^]*?)^```$/gm)].map(
    ([, language = '', rest = '', text = '']) => {
      return { language, rest, text };
    },
  );
}

/** The only block of this kind. */
export function theBlock(blocks: readonly Block[], language: string, rest = ''): Block {
  const found = blocks.filter((block) => block.language === language && block.rest === rest);
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw new Error(`${found.length} blocks are ${language} ${rest}`);
  return only;
}
