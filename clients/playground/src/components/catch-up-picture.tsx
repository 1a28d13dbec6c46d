// The picture of the welcome page: three browsers and one log. One browser is disconnected, reconnects and catches up.

import { Avatar } from './avatar';

const OFFSETS = [1, 2, 3, 4, 5, 6];

export function CatchUpPicture() {
  return (
    <div className="catch-up" aria-hidden="true">
      {['alice', 'bob', 'carol'].map((user) => (
        <div key={user} className="lane" data-late={user === 'carol'}>
          <Avatar user={user} />
          <ol>
            {OFFSETS.map((offset) => (
              <li key={offset} data-offset={offset}>
                #{offset}
              </li>
            ))}
          </ol>
        </div>
      ))}
      <p className="lane-caption">
        <span>carol is disconnected after #2</span>
        <span>reconnected: #3 #4 #5 replayed</span>
      </p>
    </div>
  );
}
