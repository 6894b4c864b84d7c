using Millrace.Server;
using Millrace.Storage;

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
