// Generates src/generated.ts, the types of everything that browsers send and receive, from
// proto/roomcast/browser/v1/browser.proto.
//
//   node scripts/generate.mjs            writes the file
//   node scripts/generate.mjs --check    fails if the file is not up to date
//
// The script needs buf: on the PATH, or installed by `tests/run --only proto-lint`.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

const PACKAGE = '.roomcast.browser.v1.';
const root = fileURLToPath(new URL('../../../', import.meta.url));
const target = fileURLToPath(new URL('../src/generated.ts', import.meta.url));

/** Returns every enum and message by its full name, with its comments. */
function readTypes() {
  const installed = `${root}tests/ci/tools/node_modules/.bin/buf`;
  const buf = existsSync(installed) ? installed : 'buf';
  const image = execFileSync(buf, ['build', 'proto', '-o', '-#format=json'], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  const types = new Map();
  for (const file of JSON.parse(image.toString()).file) {
    const located = file.sourceCodeInfo?.location ?? [];
    const comments = new Map(located.map(({ path, leadingComments }) => [String(path), leadingComments]));
    const add = (kind, number) => (type, at) => {
      const path = [number, at];
      types.set(`.${file.package}.${type.name}`, {
        ...type,
        kind,
        path,
        comment: (...more) => comments.get(String([...path, ...more])),
      });
    };
    (file.messageType ?? []).forEach(add('message', 4));
    (file.enumType ?? []).forEach(add('enum', 5));
  }
  return types;
}

const types = readTypes();
const kebab = (name) => name.replaceAll('_', '-');
const doc = (comment = '') => {
  const lines = comment
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return lines.length === 1
    ? `/** ${lines[0]} */\n`
    : `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
};
const short = (typeName) => typeName.split('.').at(-1);

const WELL_KNOWN = {
  '.google.protobuf.Struct': 'JsonObject',
  '.google.protobuf.StringValue': 'string | null',
  '.google.protobuf.Timestamp': 'string',
};

function typeOf(field) {
  const scalar = { TYPE_STRING: 'string', TYPE_BOOL: 'boolean' }[field.type];
  const one = scalar ?? WELL_KNOWN[field.typeName] ?? short(field.typeName ?? '');
  if (!one) throw new Error(`${field.name}: ${field.type} has no JSON type here`);
  return field.label === 'LABEL_REPEATED' ? `${one}[]` : one;
}

/** The fields of an interface. */
function fieldsOf(message) {
  return (message.field ?? [])
    .map(
      (field, at) =>
        `${doc(message.comment(2, at))}${field.jsonName}${field.proto3Optional ? '?' : ''}: ${typeOf(field)};`,
    )
    .join('\n');
}

function enumType(type) {
  const prefix = `${type.name.replace(/(?<!^)[A-Z]/g, '_$&').toUpperCase()}_`;
  const values = type.value
    .map(({ name }, at) => [name.slice(prefix.length).toLowerCase(), type.comment(2, at)])
    .slice(1);
  const list = `${type.name[0].toLowerCase()}${type.name.slice(1)}s`;
  return `${doc(type.comment())}export type ${type.name} =\n${values.map(([value, comment]) => `${doc(comment)}| '${value}'`).join('\n')};
/** Every {@link ${type.name}}. */
export const ${list} = [${values.map(([value]) => `'${value}'`)}] as const satisfies readonly ${type.name}[];\n`;
}

/** A union of the two results of a response, which `ok` distinguishes. */
function responseType(message) {
  const variants = message.field.map((field) => {
    const of = types.get(field.typeName);
    return `{\n${doc(of.comment())}ok: ${field.name === 'success'};\n${fieldsOf(of)} }`;
  });
  return `${doc(message.comment())}export type ${message.name} = ${variants.map((variant) => `\n| ${variant}`).join('')};\n`;
}

/** The attributes are on the same level as the other fields. */
function sessionType(message) {
  const others = { ...message, field: message.field.filter(({ name }) => name !== 'attributes') };
  return `${doc(message.comment())}export type Session<Attributes extends object = { [key: string]: unknown }> = {\n${fieldsOf(others)}\n} & Attributes;\n`;
}

function serverEvents(message) {
  const events = message.field.map(
    (field, at) =>
      `${doc(message.comment(2, at))}'${kebab(field.name)}': (payload: ${typeOf(field)}, cursor: string) => void;`,
  );
  return eventMap('ServerToClientEvents', message, events);
}

/**
 * The arguments as tuples with and without an acknowledgement, because the types of socket.io-client do not treat an
 * optional function as an acknowledgement.
 */
function clientEvents(message) {
  const events = message.field.map((field, at) => {
    const all = types
      .get(field.typeName)
      .field.map((argument) => [argument, `${argument.jsonName}: ${typeOf(argument)}`]);
    const required = all.filter(([argument]) => !argument.proto3Optional);
    const verb = field.name.split('_')[0];
    const acknowledge = `acknowledge: (response: ${verb[0].toUpperCase()}${verb.slice(1)}Response) => void`;
    const lists = required.length === all.length ? [all] : [required, all];
    const tuples = lists.flatMap((list) => {
      const named = list.map(([, text]) => text);
      return [`[${named}]`, `[${[...named, acknowledge]}]`];
    });
    return `${doc(message.comment(2, at))}'${kebab(field.name)}': (...args: ${tuples.join(' | ')}) => void;`;
  });
  return eventMap('ClientToServerEvents', message, events);
}

function eventMap(name, message, events) {
  const names = message.field.map((field) => `'${kebab(field.name)}'`);
  const list = `${name[0].toLowerCase()}${name.slice(1)}`;
  return `${doc(message.comment())}export interface ${name} {\n${events.join('\n')}\n}
/** Every name of {@link ${name}}. */
export const ${list} = [${names}] as const satisfies readonly (keyof ${name})[];\n`;
}

function typescriptOf(type) {
  if (type.kind === 'enum') return enumType(type);
  if (type.name === 'ServerToClient') return serverEvents(type);
  if (type.name === 'ClientToServer') return clientEvents(type);
  if (type.name === 'Session') return sessionType(type);
  if (isResponse(type)) return responseType(type);
  return `${doc(type.comment())}export interface ${type.name} {\n${fieldsOf(type)}\n}\n`;
}

function isResponse(type) {
  return type.oneofDecl?.[0]?.name === 'result';
}

/** Whether a type is written out where it is used instead of under its own name. */
function isInlined({ name }) {
  const used = [...types.values()].flatMap((type) => {
    const inlines = type.name === 'ClientToServer' || isResponse(type);
    return inlines ? type.field.map((field) => field.typeName) : [];
  });
  return used.includes(PACKAGE + name);
}

const ours = [...types]
  .filter(([name, type]) => name.startsWith(PACKAGE) && !isInlined(type))
  .map(([, type]) => type);
const shared = ['.roomcast.v1.Role', '.roomcast.v1.Participant'].map((name) => types.get(name));
const text = `// What browsers send and receive. Generated by scripts/generate.mjs from proto/roomcast/browser/v1/browser.proto.
// Change that file, then run \`npm run generate\`.

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject { [key: string]: JsonValue }

${[...shared, ...ours].map(typescriptOf).join('\n')}`;

const formatted = await format(text, { ...(await resolveConfig(target)), parser: 'typescript' });
if (!process.argv.includes('--check')) {
  writeFileSync(target, formatted);
} else if (readFileSync(target, 'utf8') !== formatted) {
  console.error('src/generated.ts is not up to date: run `npm run generate -w core` in clients/');
  process.exitCode = 1;
}
