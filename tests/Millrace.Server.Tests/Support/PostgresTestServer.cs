using Millrace.Tests.Servers;

namespace Millrace.Server.Tests.Support;

/// <summary>The same server with its state in PostgreSQL.</summary>
public sealed class PostgresTestServer : TestServer
{
    private string? _database;

    public override async ValueTask InitializeAsync()
    {
        _database ??= await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        Settings = s => s with { Database = _database };
        await base.InitializeAsync();
    }
}
