import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import type { PlaygroundPage } from './playground-page';
import { TestEnvironment } from './test-environment';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 360, height: 740 } };
const VARIANTS = (['light', 'dark'] as const).flatMap((theme) =>
  (['desktop', 'phone'] as const).map((size) => ({ theme, size })),
);
// A folder for screenshots, if set.
const SCREENSHOTS = process.env['ROOMCAST_SHOTS'];

let environment: TestEnvironment;
beforeAll(async () => {
  environment = await TestEnvironment.start();
});
afterEach(() => environment.closePages());
afterAll(() => environment.stop());

test.each(VARIANTS)(
  'axe finds no serious problem with the $theme theme on a $size',
  async ({ theme, size }) => {
    const playground = await environment.open({
      colorScheme: theme,
      viewport: SIZES[size],
      reducedMotion: 'reduce',
    });
    await playground.button('Start a mock interview').waitFor();
    await checkPage(playground, `${size}-${theme}-welcome`);

    await playground.startMockInterview();
    await showEverything(playground);
    await checkPage(playground, `${size}-${theme}-session`);

    await playground.page.goto(`${environment.dev.url}/?session=does-not-exist&users=alice`);
    await playground.button('Create it').waitFor();
    await playground.card('alice').waitForText(/session_not_found/);
    await checkPage(playground, `${size}-${theme}-missing`);
  },
);

/** Shows a replay, pending feedback, a removal, an error with details, and payloads. */
async function showEverything(playground: PlaygroundPage): Promise<void> {
  const [bob, carol] = [playground.card('bob'), playground.card('carol')];
  await bob.button('Require feedback').click();
  await bob.root.getByRole('form', { name: 'Feedback of bob' }).waitFor();
  await bob.button('interviewer').click();
  await bob.waitForText(/is taken/);
  await playground.card('alice').root.getByLabel('Payloads').check();
  await carol.button('Cut for 5 s').click();
  await playground.button('running').click();
  await carol.waitForText('The connection is cut');
  await carol.expectOffsets(2, 2);
  await carol.replayedOffsets();
  await playground.page.getByRole('radio', { name: 'Remove' }).check();
  await playground.button('Call RemoveParticipant').click();
  await carol.waitForText('No longer a participant');
  await playground.page.locator('.call summary').nth(2).click();
}

async function checkPage({ page }: PlaygroundPage, name: string): Promise<void> {
  if (SCREENSHOTS !== undefined)
    await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(tooWide, 'the page scrolls sideways').toBeLessThanOrEqual(0);
  const { violations } = await axe(page);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const problems = serious.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`),
  );
  expect(problems).toEqual([]);
}

async function axe(page: Page): Promise<AxeResults> {
  await page.evaluate(AXE);
  return page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
}

test('the mock interview can be used with the keyboard only', async () => {
  const { page, ...playground } = await openWelcomePage();
  await tabTo(page, 'Skip to content');
  await tabTo(page, 'Start a mock interview');
  await page.keyboard.press('Enter');
  await playground.card('carol').waitForStatus('scheduled');
  await tabTo(page, 'running');
  await page.keyboard.press('Enter');
  await playground.card('bob').waitForStatus('running');

  await tabTo(page, 'Require feedback');
  await page.keyboard.press('Space');
  const form = playground.card('alice').root.getByRole('form', { name: 'Feedback of alice' });
  await form.waitFor();
  await tabTo(page, '4');
  await page.keyboard.press('ArrowRight');
  await tabTo(page, 'Note');
  await page.keyboard.type('Thought aloud');
  await page.keyboard.press('Enter');
  await playground.card('bob').waitForText('alice: 5 of 5, “Thought aloud”');

  await tabTo(page, 'Publish');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('form', { name: 'SelectRole' }).waitFor();
  await tabTo(page, 'Call SelectRole');
  await page.keyboard.press('Enter');
  await playground.card('alice').waitForText('dave as observer');
});

async function openWelcomePage() {
  const playground = await environment.open();
  await playground.button('Start a mock interview').waitFor();
  return { page: playground.page, card: playground.card.bind(playground) };
}

/** Presses Tab until the element with this name has the focus. Each focused element must have a name and a focus ring. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const element = await page.evaluate(focusedElement);
    if (element === undefined) continue;
    expect(element.name, element.html).not.toBe('');
    expect(element.hasFocusRing, element.html).toBe(true);
    if (element.name === name) return;
  }
  throw new Error(`Tab does not reach “${name}”`);
}

function focusedElement() {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return undefined;
  const input = element as HTMLInputElement;
  const labelledBy = document.getElementById(element.getAttribute('aria-labelledby') ?? '');
  const name =
    element.getAttribute('aria-label') ??
    (labelledBy ?? input.labels?.[0] ?? element).textContent?.trim() ??
    '';
  const candidates = [element, element.parentElement, element.nextElementSibling];
  const hasFocusRing = candidates.some(
    (candidate) => candidate !== null && getComputedStyle(candidate).outlineStyle === 'solid',
  );
  return { name, hasFocusRing, html: element.outerHTML.slice(0, 200) };
}
