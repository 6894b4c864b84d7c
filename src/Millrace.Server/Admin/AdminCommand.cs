using Millrace.Storage;
using Millrace.Storage.Admin;
using Millrace.Storage.Blobs;

namespace Millrace.Server.Admin;

/// <summary>
/// <c>millrace admin …</c>: what is done to data as a whole, by whoever may read its files. It works on the stores and not through the HTTP
/// API, so it is part of this binary (decision 12).
/// </summary>
internal sealed class AdminCommand(AdminArguments arguments, TextWriter output, TimeProvider time)
{
    public const string Word = "admin";

    public const string Help = """
        millrace admin move    --from DIR --to postgres://user:password@host:port/name [--blobs FOLDER|s3://…]
        millrace admin backup  --data DIR | --database postgres://…  [--blobs FOLDER|s3://…]  --out FOLDER
        millrace admin restore --from FOLDER  --data DIR | --database postgres://…  [--blobs FOLDER|s3://…]
        millrace admin verify  --data DIR | --database postgres://…  [--blobs FOLDER|s3://…]  |  --backup FOLDER

        move     copies a stopped SQLite server's data to an empty PostgreSQL database, with its live runs, and compares every table
        backup   writes a consistent copy into a new folder; the server may serve meanwhile
        restore  brings a backup into an empty data folder or database
        verify   counts runs, looks for gaps in journals and for blobs that are missing; of a backup it compares every file

        --blobs is where large values and artifacts are, or shall be; the key of a bucket is in MILLRACE_S3_ACCESS_KEY and MILLRACE_S3_SECRET_KEY.
        Exit codes: 0 done and verified, 1 something differs or failed, 2 the request is wrong.
        """;

    public static async Task<int> RunAsync(IReadOnlyList<string> args, Func<string, string?> variable, TextWriter output, TextWriter error, CancellationToken cancel)
    {
        if (args.Count == 0 || args.Contains("--help"))
        {
            await (args.Count == 0 ? error : output).WriteLineAsync(Help);
            return args.Count == 0 ? 2 : 0;
        }

        try
        {
            var command = new AdminCommand(AdminArguments.Parse(args, variable), output, TimeProvider.System);
            return await command.RunAsync(args[0], cancel) ? 0 : 1;
        }
        catch (SettingsException e)
        {
            await error.WriteLineAsync($"{e.Message}\n\n{Help}");
            return 2;
        }
        catch (DatabaseInUseException e)
        {
            await error.WriteLineAsync($"{e.Message} Stop that server first.");
            return 1;
        }
        catch (Exception e) when (e is AdminException or MigrationException or StorageUnavailableException or BlobAbsentException or BlobCorruptException or DllNotFoundException or IOException or StatementException)
        {
            await error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    private Task<bool> RunAsync(string verb, CancellationToken cancel) => verb switch
    {
        "move" => new Move(arguments, output, time).RunAsync(cancel),
        "backup" => new Backup(arguments, output, time).RunAsync(cancel),
        "restore" => new Restore(arguments, output, time).RunAsync(cancel),
        "verify" => new Verify(arguments, output).RunAsync(cancel),
        _ => throw new SettingsException($"'{verb}' is no command: expected move, backup, restore or verify."),
    };
}
