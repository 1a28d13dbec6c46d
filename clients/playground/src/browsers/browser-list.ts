// The browsers that are open on this page, in the order of the URL.

import type { SessionRecord } from '../backend/session-record';
import { Store } from '../store';
import { SimulatedBrowser } from './simulated-browser';

export class BrowserList {
  readonly open = new Store<readonly SimulatedBrowser[]>([]);
  // Counts the changes of every browser's log, cursor and edge.
  readonly changes = new Store(0);
  readonly #unsubscribe = new Map<SimulatedBrowser, (() => void)[]>();

  constructor(
    private readonly record: SessionRecord,
    private readonly mintsTokens: boolean,
  ) {}

  // Opens and closes browsers, so that exactly those of `users` are open.
  show(users: readonly string[]): void {
    const surplus = new Map(this.open.getSnapshot().map((browser) => [browser.user, browser]));
    const shown = users.map((user) => {
      const existing = surplus.get(user);
      surplus.delete(user);
      return existing ?? this.#open(user);
    });
    for (const browser of surplus.values()) {
      this.#close(browser);
      browser.log.removeSaved();
    }
    this.open.set(shown);
    this.#countChange();
  }

  closeAll(): void {
    for (const browser of this.open.getSnapshot()) this.#close(browser);
    this.open.set([]);
  }

  readonly #countChange = (): void => this.changes.set(this.changes.getSnapshot() + 1);

  #open(user: string): SimulatedBrowser {
    const browser = new SimulatedBrowser(user, this.record, this.mintsTokens);
    const stores = [browser.log.entries, browser.cursor, browser.edge];
    this.#unsubscribe.set(
      browser,
      stores.map((store) => store.subscribe(this.#countChange)),
    );
    browser.client.connect();
    return browser;
  }

  #close(browser: SimulatedBrowser): void {
    for (const unsubscribe of this.#unsubscribe.get(browser) ?? []) unsubscribe();
    this.#unsubscribe.delete(browser);
    browser.close();
  }
}
