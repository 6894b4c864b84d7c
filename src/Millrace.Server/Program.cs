using System.Runtime.InteropServices;
using Millrace.Server;
using Millrace.Server.Admin;
using Millrace.Storage;

if (args is [AdminCommand.Word, ..]) return await AdminCommand.RunAsync(args[1..], Environment.GetEnvironmentVariable, Console.Out, Console.Error, default);

// The host hears the first signal itself. What the disk holds is whole at every moment, so whoever cannot wait need not.
var signals = 0;
Action<string> say = Console.WriteLine;
var hurried = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, 143));
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, 130));
return await await Task.WhenAny(ServeAsync(), hurried.Task);

void Stop(PosixSignalContext context, int exitCode)
{
    if (Interlocked.Increment(ref signals) == 1)
    {
        say("millrace stops once effects under way have ended or their time is up; a second signal ends it at once");
        return;
    }
    context.Cancel = true;
    hurried.TrySetResult(exitCode);
}

async Task<int> ServeAsync()
{
    try
    {
        var settings = ServerSettings.Parse(args, Environment.GetEnvironmentVariable);
        await using var server = await MillraceServer.StartAsync(settings, new ServerParts { Time = WrongClock.OfVariable(Environment.GetEnvironmentVariable) });
        server.Announce(settings);
        // A log of JSON lines holds nothing else.
        if (settings.Log == LogForm.Json) say = server.Log;
        await server.WaitForShutdownAsync();
        return 0;
    }
    catch (Exception e) when (e is SettingsException or MigrationException or StorageUnavailableException or DatabaseInUseException or DllNotFoundException or IOException)
    {
        Console.Error.WriteLine($"millrace cannot start: {e.Message}");
        return 1;
    }
}
