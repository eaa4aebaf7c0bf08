package lambent;

import com.amazonaws.services.lambda.runtime.api.client.logging.LogSink;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.OutputStream;

/** What the function writes and logs, sent in order with everything else. */
final class Output {
    private final Connection connection;

    Output(Connection connection) {
        this.connection = connection;
    }

    /** Of System.out and System.err: bytes as they were written. */
    OutputStream stream() {
        return new OutputStream() {
            @Override
            public void write(int one) {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                connection.log(false, bytes, offset, length);
            }
        };
    }

    /** Of LambdaLogger: each message is one event, whatever lines it has. */
    LogSink sink() {
        return new LogSink() {
            @Override
            public void log(byte[] message) {
                connection.log(true, message, 0, message.length);
            }

            @Override
            public void log(LogLevel level, LogFormat format, byte[] message) {
                log(message);
            }

            @Override
            public void close() {}
        };
    }
}
