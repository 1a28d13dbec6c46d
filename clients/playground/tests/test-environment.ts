// A real Chromium before a real `roomcast dev`, and what is expected of every page whatever it shows.

import { Backend, chromiumPath, RoomcastProcess } from '@roomcast/testing';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';
import { expect } from 'vitest';

import { Guest } from './playground-page';

export interface PageOptions extends BrowserContextOptions {
  readonly session?: string;
  readonly users?: readonly string[];
}

export class Stage {
  readonly backend: Backend;
  readonly #contexts: BrowserContext[] = [];
  readonly #complaints: string[] = [];

  private constructor(
    readonly dev: RoomcastProcess,
    private readonly chromium: Browser,
  ) {
    this.backend = Backend.of(dev);
  }

  static async set(more: string[] = []): Promise<Stage> {
    const [dev, browser] = await Promise.all([
      RoomcastProcess.dev(more),
      chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] }),
    ]);
    return new Stage(dev, browser);
  }

  /** Opens the playground in a browser that has nothing of the others: no storage, no connection. */
  async open({ session, users = [], ...options }: PageOptions = {}): Promise<Guest> {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#complaints.push(`uncaught: ${error.message}`));
    page.on('console', (line) => {
      // The browser says so of each answer that is no 2xx, and of each connection that is gone: both are shown by the page.
      const ofNetwork =
        line.text().startsWith('Failed to load resource') || line.text().startsWith('WebSocket connection');
      if (['error', 'warning'].includes(line.type()) && !ofNetwork) this.#complaints.push(line.text());
    });
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (hostname !== '127.0.0.1' && protocol !== 'blob:')
        this.#complaints.push(`a request to ${request.url()}`);
    });
    const query = session === undefined ? '' : `?session=${session}&users=${users.join(',')}`;
    await page.goto(`${this.dev.url}/${query}`);
    return new Guest(page);
  }

  /** Closes the pages. None of them may have complained, or asked for anything off this machine. */
  async clear(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
    expect(this.#complaints.splice(0)).toEqual([]);
  }

  async strike(): Promise<void> {
    await this.chromium.close();
    this.backend.close();
    await this.dev.stop();
  }
}
