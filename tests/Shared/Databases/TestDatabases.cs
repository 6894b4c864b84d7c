using Millrace.Storage;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;
using Millrace.Tests.Servers;

namespace Millrace.Tests.Databases;

/// <summary>Where a suite keeps its state: one class of tests, a subclass for each database.</summary>
public abstract class TestDatabases
{
    public static readonly TestDatabases Sqlite = new OnSqlite();
    public static readonly TestDatabases Postgres = new OnPostgres();

    /// <summary>Makes an empty database.</summary>
    /// <param name="folder">A folder it may use.</param>
    /// <returns>Opens it, as a process does when it starts.</returns>
    internal abstract Task<Func<Database>> CreateAsync(string folder);

    private sealed class OnSqlite : TestDatabases
    {
        internal override Task<Func<Database>> CreateAsync(string folder) =>
            Task.FromResult<Func<Database>>(() => SqliteDatabase.Open(Path.Combine(folder, "millrace.db")));
    }

    private sealed class OnPostgres : TestDatabases
    {
        /// <summary>Hundreds of databases are made: each is a copy of one that has its tables.</summary>
        private readonly Lazy<Task<string>> _template = new(MigrateTemplateAsync);

        internal override async Task<Func<Database>> CreateAsync(string folder)
        {
            var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync(await _template.Value);
            return () => PostgresDatabase.Open(uri);
        }

        private static async Task<string> MigrateTemplateAsync()
        {
            var uri = await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
            await using (var database = PostgresDatabase.Open(uri)) await database.MigrateAsync();
            return uri[(uri.LastIndexOf('/') + 1)..];
        }
    }
}
