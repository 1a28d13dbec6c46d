import { RoomcastProcess } from '@roomcast/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { blocksOf, ROOT } from './markdown-blocks.js';
import { Shell } from './shell.js';

let dev: RoomcastProcess;

beforeAll(async () => {
  dev = await RoomcastProcess.dev();
});

afterAll(() => dev?.stop());

test('the documented commands show the events of a room, and whether a user may join', async () => {
  const shell = new Shell(dev);
  const commands = (section: string) => {
    const blocks = blocksOf('docs/browser.md', section);
    return blocks.filter(({ language, info }) => language === 'sh' && info === '').map(({ text }) => text);
  };
  const [watch, authorize] = commands('Debugging');
  const create = commands('Five minutes with React').find((text) => text.includes('PublishSessionUpdate'));
  if (!watch || !authorize || !create) throw new Error('docs/browser.md does not have the expected commands');

  expect(JSON.parse(shell.run(authorize))).toEqual({ denial: 'DENIAL_SESSION_NOT_FOUND' });
  shell.run(create);
  expect(JSON.parse(shell.run(authorize))).toMatchObject({ allowed: true, role: 'ROLE_INTERVIEWER' });
  const stop = await shell.start(watch, ROOT, /"sessionUpdated"/);
  await stop();
});
