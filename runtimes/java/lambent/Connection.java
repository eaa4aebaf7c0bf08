package lambent;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.io.EOFException;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** The bootstrap's end of the frames that src/invoke/frames.ts describes; every write is finished before it returns. */
final class Connection {
    private static final int VERSION = 1;
    private static final int HELLO = 1;
    private static final int INIT_RESULT = 2;
    private static final int INVOKE = 3;
    private static final int RESPONSE = 4;
    private static final int ERROR = 5;
    private static final int LOG = 6;
    private static final int FATAL = 7;
    private static final int SNAPSHOT = 24;

    /** A response above this is not sent, only its size told; the server's own limit is lower. */
    private static final int RESPONSE_BYTES_MAX = 16_000_000;
    /** What is longer than this is logged in pieces. */
    private static final int LOG_BYTES_MAX = 1_048_576;
    private static final int HEAD_BYTES = 5;
    private static final int COPY_BYTES_MAX = 65_536;

    /** How often a process that is about to be saved, or was, looks for the server, in milliseconds. */
    private static final int LOOK_MS = 5;

    private static final byte[] NOTHING = {};

    private final String path;
    /** Kept, since who forgets it closes it. */
    private SocketChannel channel;

    private FileInputStream in;
    private FileOutputStream out;

    Connection(String path) throws IOException, ReflectiveOperationException {
        this.path = path;
        connect();
    }

    private synchronized void connect() throws IOException, ReflectiveOperationException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(path));
        // A channel is closed when a thread that uses it is interrupted, and functions interrupt theirs; streams on its descriptor are not.
        FileDescriptor descriptor = descriptorOf(channel);
        in = new FileInputStream(descriptor);
        out = new FileOutputStream(descriptor);
        send(HELLO, ByteBuffer.allocate(5).put((byte) VERSION).putInt((int) ProcessHandle.current().pid()).array());
    }

    /**
     * Ends the connection, since none can be saved, and waits for the server to listen again: it does when this process was restored. What
     * other threads write waits until then.
     */
    synchronized void sleepUntilRestored() throws IOException {
        send(SNAPSHOT);
        channel.close();
        File socket = new File(path);
        for (; ; ) {
            try {
                Thread.sleep(LOOK_MS);
                if (!socket.exists()) continue;
                connect();
                return;
            } catch (IOException | InterruptedException notYet) {
                continue;
            } catch (ReflectiveOperationException impossible) {
                throw new IOException(impossible);
            }
        }
    }

    InvocationRequest nextInvocation() {
        try {
            byte[] body = next(INVOKE);
            ByteBuffer bytes = ByteBuffer.wrap(body);
            InvocationRequest request = new InvocationRequest();
            request.setDeadlineTimeInMs((long) bytes.getDouble());
            request.setId(string(bytes));
            request.setInvokedFunctionArn(string(bytes));
            request.setXrayTraceId(orNull(string(bytes)));
            request.setClientContext(orNull(string(bytes)));
            request.setCognitoIdentity(orNull(string(bytes)));
            byte[] payload = new byte[bytes.remaining()];
            bytes.get(payload);
            request.setContent(payload);
            return request;
        } catch (IOException lost) {
            throw noServer();
        }
    }

    void initSucceeded() {
        send(INIT_RESULT, new byte[] {1}, string(""));
    }

    void initFailed(String errorType, byte[] payload) {
        send(INIT_RESULT, new byte[] {0}, string(errorType), payload);
    }

    void respond(String requestId, byte[] payload) {
        if (payload.length <= RESPONSE_BYTES_MAX) {
            send(RESPONSE, string(requestId), payload);
            return;
        }
        String type = "Function.ResponseSizeTooLarge";
        String message =
                "Response payload size (" + payload.length + " bytes) exceeded maximum allowed payload size (6291556 bytes).";
        fail(requestId, type, bytes("{\"errorType\":\"" + type + "\",\"errorMessage\":\"" + message + "\"}"), false);
    }

    void fail(String requestId, String errorType, byte[] payload, boolean isFatal) {
        send(isFatal ? FATAL : ERROR, string(requestId), string(errorType), payload);
    }

    /** @param isRecord a whole record, whose line breaks are part of it; else bytes as the function wrote them. */
    void log(boolean isRecord, byte[] bytes, int offset, int length) {
        boolean isWhole = length <= LOG_BYTES_MAX;
        byte[] kind = {(byte) (isRecord && isWhole ? 1 : 0), 0};
        for (int at = 0; at < length; at += LOG_BYTES_MAX) {
            byte[] piece = new byte[Math.min(LOG_BYTES_MAX, length - at)];
            System.arraycopy(bytes, offset + at, piece, 0, piece.length);
            send(LOG, kind, piece);
        }
    }

    private byte[] next(int type) throws IOException {
        for (; ; ) {
            ByteBuffer head = ByteBuffer.wrap(read(HEAD_BYTES));
            byte[] body = read(head.getInt() - 1);
            if (head.get() == type) return body;
        }
    }

    /** Not by Java's buffered streams, which ask how much there is: gVisor does not know. */
    private byte[] read(int length) throws IOException {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; ) {
            int count = in.read(bytes, at, length - at);
            if (count < 0) throw new EOFException();
            at += count;
        }
        return bytes;
    }

    /** Threads of the function may log at the same time. */
    private synchronized void send(int type, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) length += part.length;
        byte[] last = parts.length == 0 ? NOTHING : parts[parts.length - 1];
        // A large payload goes out as it is.
        boolean isCopied = length <= COPY_BYTES_MAX;
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES + (isCopied ? length : length - last.length));
        head.putInt(1 + length).put((byte) type);
        for (byte[] part : parts) if (isCopied || part != last) head.put(part);
        try {
            out.write(head.array());
            if (!isCopied) out.write(last);
        } catch (IOException lost) {
            throw noServer();
        }
    }

    /** Without the server there is no work left. */
    private static Error noServer() {
        Runtime.getRuntime().halt(1);
        return new Error();
    }

    private static String orNull(String text) {
        return text.isEmpty() ? null : text;
    }

    private static String string(ByteBuffer from) {
        byte[] text = new byte[from.getInt()];
        from.get(text);
        return new String(text, UTF_8);
    }

    private static byte[] string(String text) {
        byte[] utf8 = bytes(text);
        return ByteBuffer.allocate(4 + utf8.length).putInt(utf8.length).put(utf8).array();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static FileDescriptor descriptorOf(SocketChannel channel) throws ReflectiveOperationException {
        Field field = channel.getClass().getDeclaredField("fd");
        field.setAccessible(true);
        return (FileDescriptor) field.get(channel);
    }
}
