//! Ports of a test's own. One that was free a moment ago may be somebody else's by now: hundreds of
//! servers start beside each other here, each at a port that the system picks.

use tokio::net::TcpSocket;

/// A port at which nobody answers, and which the system gives to nobody while this value lives.
/// What the test itself starts there can listen, as often as it comes back: every server that lets
/// an address be used again does, and that is all of them.
pub struct Port {
    pub number: u16,
    _held: Option<TcpSocket>,
}

impl Port {
    pub fn hold() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let number = socket.local_addr().unwrap().port();
        // Elsewhere two sockets cannot be bound to one port, even if only one of them listens.
        Self { number, _held: cfg!(target_os = "linux").then_some(socket) }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

#[test]
fn nobody_answers_at_a_held_port_and_it_can_be_listened_at_again_and_again() {
    let port = Port::hold();
    let at = || std::net::TcpStream::connect(port.address());
    for _ in 0..2 {
        assert_eq!(at().unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
        let listener = std::net::TcpListener::bind(port.address()).unwrap();
        let ours = at().unwrap();
        assert_eq!(listener.accept().unwrap().1, ours.local_addr().unwrap());
    }
}
