// В компоненте
const { socket } = useSocket();

useEffect(() => {
  if (socket) {
    socket.onAny((event, ...args) => {
      console.log(`Получено событие: ${event}`, args);
    });
  }
}, [socket]);
