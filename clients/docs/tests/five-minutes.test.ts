import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, relative } from 'node:path';

import { chromiumPath, RoomcastProcess } from '@roomcast/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { blocksOf, ROOT, onlyBlock } from './markdown-blocks.js';
import { Shell } from './shell.js';

const PAGE = 'docs/browser.md';
const BINARY = process.env['ROOMCAST_BIN'] ?? join(import.meta.dirname, '../../../target/debug/roomcast');

let browser: Browser;
let dev: RoomcastProcess;
let folder: string;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  dev = await RoomcastProcess.dev();
  folder = mkdtempSync(join(tmpdir(), 'roomcast-docs-'));
});

afterAll(async () => {
  await browser?.close();
  await dev?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the page of the tutorial shows the backend’s changes, in development and as a build', async () => {
  const blocks = blocksOf(PAGE, 'Five minutes with React');
  const [install, create, update, ...rest] = blocks.filter(
    ({ language, info }) => language === 'sh' && !info,
  );
  if (!install || !create || !update || rest.length > 0)
    throw new Error(`${PAGE} does not have the expected commands`);
  const page = join(folder, 'my-page');
  const port = await freePort();
  const shell = new Shell(dev, [
    ['cargo run --quiet --', BINARY],
    // create-vite treats an absolute path as a relative one.
    ['../my-page', relative(ROOT, page)],
    // The packages are installed already, and these tests use them.
    ['npm ci --prefix clients\n', ''],
    ['npm run dev', `npm run dev -- --host 127.0.0.1 --strictPort --port ${port}`],
  ]);

  shell.run(install.text);
  const app = onlyBlock(blocks, 'jsx', 'src/App.jsx').text;
  writeFileSync(join(page, 'src/App.jsx'), shell.localize(app));
  shell.run(create.text);
  const stop = await shell.start('npm run dev', page, /Local:/);
  try {
    const tab = await open(`http://127.0.0.1:${port}/`);
    await tab.getByText('Connection: connected').waitFor();
    await tab.getByText('Interview: not received yet').waitFor();
    shell.run(update.text);
    await tab.getByText('Interview: running').waitFor();

    // The component of the current session.
    writeFileSync(join(page, 'src/Interview.jsx'), onlyBlock(blocks, 'jsx', 'src/Interview.jsx').text);
    const more = app.replace('<MyComponent />', '<><MyComponent /><Interview /></>');
    writeFileSync(
      join(page, 'src/App.jsx'),
      shell.localize(`import { Interview } from './Interview';\n${more}`),
    );
    await tab.reload();
    await tab.getByText('The interview is running; you are its interviewer, of 1.').waitFor();
    await tab.close();
  } finally {
    await stop();
  }

  // The build, with the documented content security policy.
  shell.run('npm run build', page);
  const policy = onlyBlock(blocksOf(PAGE, 'Content security policy'), 'text').text.trim();
  const site = await serve(join(page, 'dist'), shell.localize(policy));
  try {
    const tab = await open(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await tab.getByText('Connection: connected').waitFor();
    await tab.getByText('The interview is running').waitFor();
    await tab.close();
  } finally {
    site.close();
  }
  expect(errors).toEqual([]);
});

/** The errors in the consoles of all tabs. */
const errors: string[] = [];

async function open(url: string): Promise<Page> {
  const tab = await browser.newPage();
  tab.on('pageerror', (error) => errors.push(error.message));
  tab.on('console', (line) => line.type() === 'error' && errors.push(line.text()));
  await tab.goto(url);
  return tab;
}

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

function serve(files: string, policy: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '');
    readFile(join(files, path)).then(
      (text) => {
        const type = TYPES[extname(path)] ?? 'image/svg+xml';
        response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(text);
      },
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function freePort(): Promise<number> {
  const server = createTcpServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
