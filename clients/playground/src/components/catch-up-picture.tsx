// The picture of the welcome: three browsers at one log. One is cut off, comes back, and catches up.

import { Face } from './avatar';

const PLACES = [1, 2, 3, 4, 5, 6];

export function CatchingUp() {
  return (
    <div className="catching-up" aria-hidden="true">
      {['alice', 'bob', 'carol'].map((user) => (
        <div key={user} className="lane" data-late={user === 'carol'}>
          <Face user={user} />
          <ol>
            {PLACES.map((place) => (
              <li key={place} data-place={place}>
                #{place}
              </li>
            ))}
          </ol>
        </div>
      ))}
      <p className="lane-word">
        <span>carol is cut off after #2</span>
        <span>back: #3 #4 #5 replayed</span>
      </p>
    </div>
  );
}
