// В App.jsx или другом корневом компоненте
import { SocketProvider } from './contexts/SocketContext';

function App() {
  return (
    <SocketProvider token={userToken}>
      {/* Остальные компоненты */}
    </SocketProvider>
  );
}
