// A person in front of the playground.

import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

export interface Seen {
  readonly event: string;
  readonly offset: number;
  readonly arrival: string;
}

const PATIENCE = { timeout: 15_000, interval: 20 };

export class Guest {
  constructor(readonly page: Page) {}

  /** The browser of a user on this page. */
  card(user: string): Card {
    return new Card(this.page.locator(`article[data-user="${user}"]`));
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' });
  }

  async startMockInterview(): Promise<void> {
    await this.button('Start a mock interview').click();
    await this.card('carol').shows('scheduled');
  }
}

export class Card {
  constructor(readonly root: Locator) {}

  button(name: string | RegExp): Locator {
    return this.root.getByRole('button', { name, exact: typeof name === 'string' });
  }

  /** The status of the session, as this browser knows it. */
  async shows(status: string): Promise<void> {
    await expect.poll(() => this.root.locator('[data-shown=status]').textContent(), PATIENCE).toBe(status);
  }

  async connection(): Promise<string | null> {
    return this.root.locator('.connection').getAttribute('data-status');
  }

  async becomes(status: string): Promise<void> {
    await expect.poll(() => this.connection(), PATIENCE).toBe(status);
  }

  async says(text: string | RegExp): Promise<void> {
    await this.root.getByText(text).first().waitFor();
  }

  /** The events with a position, oldest first. */
  async seen(): Promise<Seen[]> {
    const lines = await this.root.locator('.line[data-offset]').evaluateAll((all) =>
      all.map((line) => {
        const of = (name: string) => line.getAttribute(`data-${name}`) ?? '';
        return { event: of('event'), offset: Number(of('offset')), arrival: of('arrival') };
      }),
    );
    return lines.reverse();
  }

  async offsets(): Promise<number[]> {
    return (await this.seen()).map((one) => one.offset);
  }

  /** Waits until the event at an offset is the last one. */
  async has(last: number): Promise<void> {
    await expect.poll(async () => (await this.offsets()).at(-1), PATIENCE).toBe(last);
  }

  /** Waits for the event at an offset, and then has each from the first one on, once and in order. */
  async hasAll(first: number, last: number, but: readonly number[] = []): Promise<void> {
    await this.has(last);
    const all = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    expect(await this.offsets()).toEqual(all.filter((offset) => !but.includes(offset)));
  }

  /** Offsets of what is shown as replayed, once that is known of every event. */
  async replayed(): Promise<number[]> {
    await expect
      .poll(async () => (await this.seen()).some((one) => one.arrival === 'unknown'), PATIENCE)
      .toBe(false);
    return (await this.seen()).filter((one) => one.arrival === 'replayed').map((one) => one.offset);
  }

  /** How often an event without a position was told. */
  told(event: string): Promise<number> {
    return this.root.locator(`.line[data-event="${event}"]`).count();
  }
}

/** The offset at which a call's event stands. */
export function offsetOf(answer: Record<string, unknown>): number {
  const { event } = answer as { event: { position: { offset: string } } };
  return Number(event.position.offset);
}
