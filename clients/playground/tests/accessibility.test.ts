import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { Guest } from './playground-page';
import { Stage } from './test-environment';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 360, height: 740 } };
const LOOKS = (['light', 'dark'] as const).flatMap((theme) =>
  (['desktop', 'phone'] as const).map((size) => ({ theme, size })),
);
// Where a person wants to look at the pages: a folder.
const SHOTS = process.env['ROOMCAST_SHOTS'];

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.clear());
afterAll(() => stage.strike());

test.each(LOOKS)('axe finds nothing serious in $theme on a $size', async ({ theme, size }) => {
  const visitor = await stage.open({ colorScheme: theme, viewport: SIZES[size], reducedMotion: 'reduce' });
  await visitor.button('Start a mock interview').waitFor();
  await looksRight(visitor, `${size}-${theme}-welcome`);

  await visitor.startMockInterview();
  await everythingAtOnce(visitor);
  await looksRight(visitor, `${size}-${theme}-session`);

  await visitor.page.goto(`${stage.dev.url}/?session=nobody-made-it&users=alice`);
  await visitor.button('Create it').waitFor();
  await visitor.card('alice').says(/session_not_found/);
  await looksRight(visitor, `${size}-${theme}-missing`);
});

/** A replay, feedback that is due, a removal, an error with details, payloads. */
async function everythingAtOnce(visitor: Guest): Promise<void> {
  const [bob, carol] = [visitor.card('bob'), visitor.card('carol')];
  await bob.button('Ask for feedback').click();
  await bob.root.getByRole('form', { name: 'Feedback of bob' }).waitFor();
  await bob.button('interviewer').click();
  await bob.says(/is taken/);
  await visitor.card('alice').root.getByLabel('Payloads').check();
  await carol.button('Cut for 5 s').click();
  await visitor.button('running').click();
  await carol.says('The connection is cut');
  await carol.hasAll(2, 2);
  await carol.replayed();
  await visitor.page.getByRole('radio', { name: 'Remove' }).check();
  await visitor.button('Call RemoveParticipant').click();
  await carol.says('No longer a participant');
  await visitor.page.locator('.call summary').nth(2).click();
}

async function looksRight({ page }: Guest, name: string): Promise<void> {
  if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(tooWide, 'the page scrolls sideways').toBeLessThanOrEqual(0);
  const { violations } = await axe(page);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const found = serious.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`),
  );
  expect(found).toEqual([]);
}

async function axe(page: Page): Promise<AxeResults> {
  await page.evaluate(AXE);
  return page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
}

test('the first minute needs no mouse', async () => {
  const { page, ...visitor } = await opened();
  await tabTo(page, 'Skip to the page');
  await tabTo(page, 'Start a mock interview');
  await page.keyboard.press('Enter');
  await visitor.card('carol').shows('scheduled');
  await tabTo(page, 'running');
  await page.keyboard.press('Enter');
  await visitor.card('bob').shows('running');

  await tabTo(page, 'Ask for feedback');
  await page.keyboard.press('Space');
  const form = visitor.card('alice').root.getByRole('form', { name: 'Feedback of alice' });
  await form.waitFor();
  await tabTo(page, '4');
  await page.keyboard.press('ArrowRight');
  await tabTo(page, 'Note');
  await page.keyboard.type('Thought aloud');
  await page.keyboard.press('Enter');
  await visitor.card('bob').says('alice: 5 of 5, “Thought aloud”');

  await tabTo(page, 'Publish');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('form', { name: 'SelectRole' }).waitFor();
  await tabTo(page, 'Call SelectRole');
  await page.keyboard.press('Enter');
  await visitor.card('alice').says('dave as observer');
});

async function opened() {
  const visitor = await stage.open();
  await visitor.button('Start a mock interview').waitFor();
  return { page: visitor.page, card: visitor.card.bind(visitor) };
}

/** Presses Tab until what has this name has the focus; each stop on the way has a name, and shows that it has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(focused);
    if (stop === undefined) continue;
    expect(stop.name, stop.html).not.toBe('');
    expect(stop.visible, stop.html).toBe(true);
    if (stop.name === name) return;
  }
  throw new Error(`Tab does not come to “${name}”`);
}

function focused() {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return undefined;
  const input = element as HTMLInputElement;
  const labelledBy = document.getElementById(element.getAttribute('aria-labelledby') ?? '');
  const name =
    element.getAttribute('aria-label') ??
    (labelledBy ?? input.labels?.[0] ?? element).textContent?.trim() ??
    '';
  const rings = [element, element.parentElement, element.nextElementSibling];
  const visible = rings.some((one) => one !== null && getComputedStyle(one).outlineStyle === 'solid');
  return { name, visible, html: element.outerHTML.slice(0, 200) };
}
