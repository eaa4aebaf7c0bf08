// Starts AWS's runtime interface client for a function that is a class library, as the program of AWS's own runtimes does.
using System;
using System.IO;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Threading.Tasks;
using Amazon.Lambda.RuntimeSupport;

internal static class Bootstrap
{
    private static Task Main(string[] arguments)
    {
        AssemblyLoadContext.Default.Resolving += LoadBeside;
        if (Environment.GetEnvironmentVariable("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start") SnapStart.Prepare();
        return Run(arguments[0]);
    }

    // A method of its own: what it names is looked for when it is first called.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task Run(string handler) => new RuntimeSupportInitializer(handler).RunLambdaBootstrap();

    // What the function brings comes first; this is asked for the rest, which lies beside this program.
    private static Assembly LoadBeside(AssemblyLoadContext context, AssemblyName name)
    {
        var folder = Path.GetDirectoryName(typeof(Bootstrap).Assembly.Location);
        var file = Path.Combine(folder, name.Name + ".dll");
        return File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
    }
}
