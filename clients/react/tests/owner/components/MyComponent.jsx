import { useSocket } from '../hooks/useSocket';

function MyComponent() {
  const { connected, emit, subscribe, unsubscribe } = useSocket({
    sessionId: 'my-session-id', // Опционально
    events: {
      'session-updated': (data) => {
        console.log('Сессия обновлена:', data);
      },
      'feedback-updated': (data) => {
        console.log('Обратная связь обновлена:', data);
      },
    },
  });

  // Отправка события
  const handleAction = () => {
    emit('custom-event', { data: 'value' });
  };

  return (
    <div>
      <p>Статус соединения: {connected ? 'Подключено' : 'Отключено'}</p>
      <button onClick={handleAction}>Выполнить действие</button>
    </div>
  );
}
