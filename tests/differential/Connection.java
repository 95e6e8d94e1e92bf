// One socket: frames out, frames in. A peer that closes is an answer like any other.
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;

final class Connection implements AutoCloseable {
  private static final int ANSWER_TIMEOUT_MS = 20_000;

  // A frame without its length, or why there is none: "closed" or "timeout".
  static final class Answer {
    final ByteBuffer frame;
    final String instead;

    Answer(ByteBuffer frame, String instead) {
      this.frame = frame;
      this.instead = instead;
    }
  }

  private final String host;
  private final int port;
  private Socket socket;
  private int correlation = 0;

  Connection(String address) {
    int colon = address.lastIndexOf(':');
    host = address.substring(0, colon);
    port = Integer.parseInt(address.substring(colon + 1));
  }

  int nextCorrelation() { return ++correlation; }

  void sendFrame(byte[] header, byte[] body) throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(4 + header.length + body.length);
    send(frame.putInt(header.length + body.length).put(header).put(body).array());
  }

  void send(byte[] bytes) throws IOException {
    if (socket == null) {
      socket = new Socket(host, port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(ANSWER_TIMEOUT_MS);
    }
    try {
      socket.getOutputStream().write(bytes);
    } catch (IOException reset) {
      // The peer has closed already; receive() finds that out.
    }
  }

  void endOutput() throws IOException { socket.shutdownOutput(); }

  Answer receive() throws IOException {
    try {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] frame = new byte[in.readInt()];
      in.readFully(frame);
      return new Answer(ByteBuffer.wrap(frame), null);
    } catch (SocketTimeoutException late) {
      close();
      return new Answer(null, "timeout");
    } catch (IOException end) {
      close();
      return new Answer(null, "closed");
    }
  }

  @Override
  public void close() throws IOException {
    if (socket != null) socket.close();
    socket = null;
  }
}
