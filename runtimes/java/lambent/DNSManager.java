package com.amazonaws.services.lambda.crac;

import java.lang.reflect.Field;
import java.net.InetAddress;
import java.util.Collection;
import java.util.Map;

/**
 * In the place of the client's own class of this name, which calls a native library that its HTTP connection brings along and that nothing else
 * needs: addresses that were looked up before a snapshot are looked up anew after it.
 */
public final class DNSManager {
    private DNSManager() {}

    public static void clearCache() {
        clear("cache");
        clear("expirySet");
    }

    /** Other versions of Java may keep them elsewhere; then they last for as long as they would have without a snapshot. */
    private static void clear(String name) {
        try {
            Field field = InetAddress.class.getDeclaredField(name);
            field.setAccessible(true);
            Object kept = field.get(null);
            if (kept instanceof Map<?, ?> map) map.clear();
            if (kept instanceof Collection<?> collection) collection.clear();
        } catch (ReflectiveOperationException | RuntimeException elsewhere) {
            return;
        }
    }
}
