// The moment between a function's hooks in which it is saved and restored: AWS's client asks for "restore/next" in it, and waits for an answer.
//
// gVisor saves no TCP socket that is watched by epoll, as all of HttpClient's are, so this waits in the client's place: HttpClient tells
// who listens of each request before it makes a connection, and goes on once it has been told.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Threading;

internal sealed class SnapStart : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object>>
{
    private const string Path = "/2018-06-01/runtime/restore/next";
    // There in every sandbox that was restored, and in no other.
    private const string Restored = "/run/lambent/restored";
    private const int PollMilliseconds = 5;

    private bool _isOver;

    public static void Prepare() => DiagnosticListener.AllListeners.Subscribe(new SnapStart());

    public void OnNext(DiagnosticListener listener)
    {
        if (listener.Name == "HttpHandlerDiagnosticListener") listener.Subscribe(this, IsWanted);
    }

    // Nothing is wanted to be told: that would put headers into the function's own requests.
    private bool IsWanted(string name, object request, object other)
    {
        if (!_isOver && request is HttpRequestMessage { RequestUri.AbsolutePath: Path }) WaitForRestore();
        return false;
    }

    private void WaitForRestore()
    {
        _isOver = true;
        Connections.End();
        SayInitialized(IPEndPoint.Parse(Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API")));
        while (!File.Exists(Restored)) Thread.Sleep(PollMilliseconds);
    }

    // By a socket that blocks, which nothing watches, and that is closed before the sandbox is saved.
    private static void SayInitialized(IPEndPoint api)
    {
        using var socket = new Socket(api.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(api);
        socket.Send(Encoding.ASCII.GetBytes($"GET {Path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\r\n"));
        var answer = new byte[1024];
        while (socket.Receive(answer) > 0) { }
    }

    public void OnNext(KeyValuePair<string, object> told)
    {
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }
}
