using System.Runtime.InteropServices;
using Millrace.Server;
using Millrace.Server.Admin;
using Millrace.Storage;

var stops = 0;
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Stop(143));
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Stop(130));
if (args is [AdminCommand.Word, ..]) return await AdminCommand.RunAsync(args[1..], Environment.GetEnvironmentVariable, Console.Out, Console.Error, default);
try
{
    var settings = ServerSettings.Parse(args, Environment.GetEnvironmentVariable);
    await using var server = await MillraceServer.StartAsync(settings);
    server.Announce(settings);
    await server.WaitForShutdownAsync();
    return 0;
}
catch (Exception e) when (e is SettingsException or MigrationException or StorageUnavailableException or DatabaseInUseException or DllNotFoundException or IOException)
{
    Console.Error.WriteLine($"millrace cannot start: {e.Message}");
    return 1;
}

// The host hears the first signal itself. What the disk holds is whole at every moment, so whoever cannot wait need not.
void Stop(int exitCode)
{
    if (Interlocked.Increment(ref stops) == 1) Console.WriteLine("millrace stops once effects under way have ended or their time is up; a second signal ends it at once");
    else Environment.Exit(exitCode);
}
