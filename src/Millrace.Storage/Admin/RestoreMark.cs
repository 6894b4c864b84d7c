using Millrace.Storage.Migrations;
using Millrace.Storage.Postgres;

namespace Millrace.Storage.Admin;

/// <summary>What a PostgreSQL database bears from the moment it has tables until a restore into it is complete and compared. Every build refuses to serve it meanwhile.</summary>
public static class RestoreMark
{
    public static int Set(DbUnit db) =>
        db.Execute("insert into migration (number, name, sha256, applied_at) values ($1, $2, '', 0)", MigrationSet.UnfinishedNumber, MigrationSet.UnfinishedRestore);

    /// <summary>In the transaction that completes the restore: from then on the database may be served.</summary>
    public static int Remove(DbUnit db) => db.Execute("delete from migration where name = $1", MigrationSet.UnfinishedRestore);

    /// <summary>Brings what was restored to this build's version, under the mark.</summary>
    /// <exception cref="MigrationException">The backup is of a newer build.</exception>
    public static Task<DatabaseVersion> MigrateAsync(PostgresDatabase database, CancellationToken cancel = default) =>
        database.MigrateAsync(MigrationSet.OfAssembly("migrations/postgres/"), cancel, restoring: true);
}
