using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Threading.Tasks;
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;

[assembly: LambdaSerializer(typeof(DefaultLambdaJsonSerializer))]

namespace Test;

public class Saved
{
    private static readonly HttpClient Http = new();
    private readonly List<string> _steps = new() { "init" };
    private readonly string _born = Guid.NewGuid().ToString();

    public Saved()
    {
        // What SDKs keep open for their next request.
        Ask();
        File.WriteAllText("/tmp/kept", "from the init phase");
        SnapshotRestore.RegisterBeforeSnapshot(() => Step("before"));
        SnapshotRestore.RegisterAfterRestore(() => Step("after"));
    }

    public Dictionary<string, object> Handle(Dictionary<string, int> request)
    {
        if (request.ContainsKey("exit")) Environment.Exit(3);
        return new Dictionary<string, object>
        {
            ["steps"] = _steps,
            ["born"] = _born,
            ["uuid"] = Guid.NewGuid().ToString(),
            ["kept"] = File.ReadAllText("/tmp/kept"),
            ["status"] = Ask(),
            ["type"] = Environment.GetEnvironmentVariable("AWS_LAMBDA_INITIALIZATION_TYPE"),
        };
    }

    private static int Ask() =>
        (int)Http.GetAsync(Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL")).GetAwaiter().GetResult().StatusCode;

    private ValueTask Step(string name)
    {
        Console.WriteLine("the hook " + name);
        _steps.Add(name);
        return ValueTask.CompletedTask;
    }
}

public class Unsaved
{
    public Unsaved()
    {
        var fails = Environment.GetEnvironmentVariable("FAILS");
        SnapshotRestore.RegisterBeforeSnapshot(() => FailIf(fails == "before"));
        SnapshotRestore.RegisterAfterRestore(() => FailIf(fails == "after"));
        if (fails != "listens") return;
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _ = listener.AcceptTcpClientAsync();
    }

    public int Handle() => 1;

    private static ValueTask FailIf(bool fails) =>
        fails ? throw new InvalidOperationException("no good") : ValueTask.CompletedTask;
}
