import { Backend, chromiumPath, RoomcastProcess } from '@roomcast/testing';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';
import { expect } from 'vitest';

import { PlaygroundPage } from './playground-page';

export interface PageOptions extends BrowserContextOptions {
  readonly session?: string;
  readonly users?: readonly string[];
}

/** A real Chromium and a real `roomcast dev`. It checks that no page reports an error. */
export class TestEnvironment {
  readonly backend: Backend;
  readonly #contexts: BrowserContext[] = [];
  readonly #errors: string[] = [];

  private constructor(
    readonly dev: RoomcastProcess,
    private readonly chromium: Browser,
  ) {
    this.backend = Backend.of(dev);
  }

  static async start(devArgs: string[] = []): Promise<TestEnvironment> {
    const [dev, browser] = await Promise.all([
      RoomcastProcess.dev(devArgs),
      chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] }),
    ]);
    return new TestEnvironment(dev, browser);
  }

  /** Opens the playground in a new browser context, which shares no storage with other pages. */
  async open({ session, users = [], ...options }: PageOptions = {}): Promise<PlaygroundPage> {
    const context = await this.chromium.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#errors.push(`uncaught: ${error.message}`));
    page.on('console', (message) => {
      // Chromium reports each failed request and closed connection. The page shows both itself.
      const isNetworkMessage =
        message.text().startsWith('Failed to load resource') ||
        message.text().startsWith('WebSocket connection');
      if (['error', 'warning'].includes(message.type()) && !isNetworkMessage)
        this.#errors.push(message.text());
    });
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (hostname !== '127.0.0.1' && protocol !== 'blob:')
        this.#errors.push(`a request to ${request.url()}`);
    });
    const query = session === undefined ? '' : `?session=${session}&users=${users.join(',')}`;
    await page.goto(`${this.dev.url}/${query}`);
    return new PlaygroundPage(page);
  }

  /** Closes all pages. None of them may have reported an error or sent a request to another host. */
  async closePages(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
    expect(this.#errors.splice(0)).toEqual([]);
  }

  async stop(): Promise<void> {
    await this.chromium.close();
    this.backend.close();
    await this.dev.stop();
  }
}
