package lambent;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.api.client.EventHandlerLoader;
import com.amazonaws.services.lambda.runtime.api.client.HandlerInfo;
import com.amazonaws.services.lambda.runtime.api.client.LambdaRequestHandler;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.util.Map;

/**
 * Loads what a function's process loads before and around its own classes, so that the JVM can keep it in an archive that is mapped in
 * its place (class data sharing). Run once, when the runtime is installed.
 */
public final class Rehearsal {
    private static final String[] NAMES = {"Bootstrap", "Connection", "FrameClient", "Output", "Output$1", "Output$2"};

    private Rehearsal() {}

    public static void main(String[] arguments) throws Throwable {
        ClassLoader loader = Rehearsal.class.getClassLoader();
        for (String name : NAMES) Class.forName("lambent." + name, true, loader);
        Class.forName("com.amazonaws.services.lambda.runtime.api.client.AWSLambda", true, loader);
        SocketChannel.open(StandardProtocolFamily.UNIX).close();
        LambdaRequestHandler handler =
                EventHandlerLoader.loadEventHandler(HandlerInfo.fromString(Echo.class.getName(), loader));
        InvocationRequest request = new InvocationRequest();
        request.setId("0");
        request.setContent("{\"a\":[1,2.5,true,null,\"x\"],\"b\":{\"c\":\"d\"}}".getBytes(UTF_8));
        handler.call(request);
    }

    /** Answers its event. */
    public static final class Echo implements RequestHandler<Map<String, Object>, Object> {
        @Override
        public Object handleRequest(Map<String, Object> event, Context context) {
            context.getLogger().log("");
            return event;
        }
    }
}
