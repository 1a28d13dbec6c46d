// The faults that a user can simulate in a browser. After each fault the browser continues without a lost event.

import { CUT_MS, type SimulatedBrowser } from '../browsers/simulated-browser';
import { useStore } from '../use-store';
import { ClockIcon, CutIcon, ReloadIcon, SwapIcon } from './icons';

interface FaultsProps {
  readonly browser: SimulatedBrowser;
  readonly connected: boolean;
}

export function Faults({ browser, connected }: FaultsProps) {
  const supply = useStore(browser.tokens.state);
  const edge = useStore(browser.edge);
  const otherEdge = edge.name === 'edge A' ? 'edge B' : 'edge A';
  return (
    <div className="faults" role="group" aria-label={`Faults of ${browser.user}’s browser`}>
      <button type="button" className="fault" disabled={!connected} onClick={() => browser.cut()}>
        <CutIcon />
        Cut for {CUT_MS / 1000} s
      </button>
      <button
        type="button"
        className="fault"
        disabled={!connected || supply.status !== 'issuing'}
        onClick={() => void browser.expireToken()}
      >
        <ClockIcon />
        Expire token
      </button>
      <button type="button" className="fault" onClick={() => void browser.moveToOtherEdge()}>
        <SwapIcon />
        Use {otherEdge}
      </button>
      <button type="button" className="fault" onClick={() => location.reload()}>
        <ReloadIcon />
        Reload page
      </button>
    </div>
  );
}
