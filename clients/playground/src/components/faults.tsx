// What can happen to a browser. Each ends with the browser where it was, and nothing lost.

import { useStore } from '../store';
import { AWAY_MS, type Visitor } from '../browsers/simulated-browser';
import { ClockIcon, CutIcon, ReloadIcon, SwapIcon } from './icons';

interface MishapsProps {
  readonly visitor: Visitor;
  readonly connected: boolean;
}

export function Mishaps({ visitor, connected }: MishapsProps) {
  const { user } = visitor;
  const supply = useStore(visitor.tokens.supply);
  const edge = useStore(visitor.edge);
  const other = edge.name === 'edge A' ? 'edge B' : 'edge A';
  return (
    <div className="mishaps" role="group" aria-label={`Mishaps of ${user}’s browser`}>
      <button type="button" className="mishap" disabled={!connected} onClick={() => visitor.cut()}>
        <CutIcon />
        Cut for {AWAY_MS / 1000} s
      </button>
      <button
        type="button"
        className="mishap"
        disabled={!connected || supply.state !== 'open'}
        onClick={() => void visitor.expire()}
      >
        <ClockIcon />
        Expire token
      </button>
      <button type="button" className="mishap" onClick={() => void visitor.move()}>
        <SwapIcon />
        Go to {other}
      </button>
      <button type="button" className="mishap" onClick={() => location.reload()}>
        <ReloadIcon />
        Reload page
      </button>
    </div>
  );
}
