package lambent;

import com.amazonaws.services.lambda.runtime.api.client.AWSLambda;
import com.amazonaws.services.lambda.runtime.api.client.LambdaEnvironment;
import com.amazonaws.services.lambda.runtime.api.client.LambdaRequestHandler;
import com.amazonaws.services.lambda.runtime.api.client.logging.LambdaContextLogger;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.LambdaRuntimeApiClient;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * The Java runtime: AWS's own runtime interface client finds the handler, reads events and writes answers, so that all of it is as on AWS;
 * what it would say by HTTP goes out in frames. Mounted at /var/runtime.
 */
public final class Bootstrap {
    private Bootstrap() {}

    public static void main(String[] arguments) throws Throwable {
        Connection connection = new Connection(System.getenv("_LAMBENT_SOCKET"));
        Output output = new Output(connection);
        System.setOut(new PrintStream(output.stream(), true, "UTF-8"));
        System.setErr(new PrintStream(output.stream(), true, "UTF-8"));
        LogLevel level = LogLevel.fromString(LambdaEnvironment.LAMBDA_LOG_LEVEL);
        LogFormat format = LogFormat.fromString(LambdaEnvironment.LAMBDA_LOG_FORMAT);
        LambdaContextLogger logger = new LambdaContextLogger(output.sink(), level, format);
        FrameClient client = new FrameClient(connection);
        try {
            Object handler =
                    method("getLambdaRequestHandlerObject", String.class, LambdaContextLogger.class, LambdaRuntimeApiClient.class)
                            .invoke(null, System.getenv("_HANDLER"), logger, client);
            method("startRuntimeLoop", LambdaRequestHandler.class, LambdaContextLogger.class, LambdaRuntimeApiClient.class, boolean.class)
                    .invoke(null, handler, logger, client, true);
            // After an error that it does not go on from.
            client.end();
        } catch (InvocationTargetException error) {
            // As the launcher does with what main throws, past the streams that the function may have replaced.
            error.getCause().printStackTrace(new PrintStream(new FileOutputStream(java.io.FileDescriptor.err)));
            Runtime.getRuntime().halt(1);
        }
    }

    /** They are its own business and no one else's; its version is pinned (src/invoke/runtimes/java-libraries.ts). */
    private static Method method(String name, Class<?>... parameters) throws NoSuchMethodException {
        Method found = AWSLambda.class.getDeclaredMethod(name, parameters);
        found.setAccessible(true);
        return found;
    }
}
