import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

export interface ShownEvent {
  readonly name: string;
  readonly offset: number;
  readonly arrival: string;
}

const POLL = { timeout: 15_000, interval: 20 };

/** The playground, as a user sees it. */
export class PlaygroundPage {
  constructor(readonly page: Page) {}

  /** The browser of a user on this page. */
  card(user: string): BrowserCard {
    return new BrowserCard(this.page.locator(`article[data-user="${user}"]`));
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' });
  }

  async startMockInterview(): Promise<void> {
    await this.button('Start a mock interview').click();
    await this.card('carol').waitForStatus('scheduled');
  }
}

/** The browser of one user. */
export class BrowserCard {
  constructor(readonly root: Locator) {}

  button(name: string | RegExp): Locator {
    return this.root.getByRole('button', { name, exact: typeof name === 'string' });
  }

  /** Waits until this browser shows the session with this status. */
  async waitForStatus(status: string): Promise<void> {
    await expect.poll(() => this.root.locator('[data-field=status]').textContent(), POLL).toBe(status);
  }

  async connectionStatus(): Promise<string | null> {
    return this.root.locator('.connection').getAttribute('data-status');
  }

  async waitForConnection(status: string): Promise<void> {
    await expect.poll(() => this.connectionStatus(), POLL).toBe(status);
  }

  async waitForText(text: string | RegExp): Promise<void> {
    await this.root.getByText(text).first().waitFor();
  }

  /** The events that have a position, oldest first. */
  async events(): Promise<ShownEvent[]> {
    const lines = await this.root.locator('.line[data-offset]').evaluateAll((elements) =>
      elements.map((element) => {
        const data = (name: string) => element.getAttribute(`data-${name}`) ?? '';
        return { name: data('event'), offset: Number(data('offset')), arrival: data('arrival') };
      }),
    );
    return lines.reverse();
  }

  async offsets(): Promise<number[]> {
    return (await this.events()).map(({ offset }) => offset);
  }

  /** Waits until the event at this offset is the newest one. */
  async waitForOffset(offset: number): Promise<void> {
    await expect.poll(async () => (await this.offsets()).at(-1), POLL).toBe(offset);
  }

  /** Waits for offset `last`. The browser then has each offset from `first` (except `excluded`) once and in order. */
  async expectOffsets(first: number, last: number, excluded: readonly number[] = []): Promise<void> {
    await this.waitForOffset(last);
    const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    expect(await this.offsets()).toEqual(all.filter((offset) => !excluded.includes(offset)));
  }

  /** The offsets of replayed events, after the arrival of every event is determined. */
  async replayedOffsets(): Promise<number[]> {
    await expect
      .poll(async () => (await this.events()).some(({ arrival }) => arrival === 'unknown'), POLL)
      .toBe(false);
    return (await this.events()).filter(({ arrival }) => arrival === 'replayed').map(({ offset }) => offset);
  }

  /** How many events of this name the log contains. */
  countEvents(name: string): Promise<number> {
    return this.root.locator(`.line[data-event="${name}"]`).count();
  }
}

/** The offset of the event in the response to a call. */
export function offsetOf(response: Record<string, unknown>): number {
  const { event } = response as { event: { position: { offset: string } } };
  return Number(event.position.offset);
}
