const FORMAT = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

// `time` is in milliseconds since the Unix epoch.
export function TimeOfDay({ time }: { readonly time: number }) {
  return (
    <time className="line-time" dateTime={new Date(time).toISOString()}>
      {FORMAT.format(time)}
    </time>
  );
}
