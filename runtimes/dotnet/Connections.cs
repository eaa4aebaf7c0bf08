// Ends the TCP connections of this process, as none outlives a snapshot on AWS either: whoever uses one later makes another.
using System;
using System.IO;
using System.Net.Sockets;
using System.Runtime.InteropServices;

internal static class Connections
{
    [DllImport("libc", EntryPoint = "dup2")]
    private static extern int Replace(int by, int descriptor);

    // Closing them would take them from objects that still use their numbers, so each becomes a socket that never was connected.
    public static void End()
    {
        using var none = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var by = (int)none.Handle;
        foreach (var path in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            var descriptor = int.Parse(Path.GetFileName(path));
            if (descriptor == by || new FileInfo(path).LinkTarget?.StartsWith("socket:") != true) continue;
            using var socket = new Socket(new SafeSocketHandle((IntPtr)descriptor, ownsHandle: false));
            if (!IsConnection(socket)) continue;
            // With a reset: after a farewell the kernel would know it for another minute.
            socket.LingerState = new LingerOption(true, 0);
            Replace(by, descriptor);
        }
    }

    private static bool IsConnection(Socket socket) =>
        socket.ProtocolType == ProtocolType.Tcp
        && (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) == 0;
}
