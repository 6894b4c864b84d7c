using Millrace.Storage;
using Millrace.Storage.Blobs;
using Millrace.Storage.Postgres;
using Millrace.Storage.Sqlite;

namespace Millrace.Server.Admin;

/// <summary>What an administrative command is told. Each option stands once, as <c>--name value</c> or <c>--name=value</c>.</summary>
internal sealed class AdminArguments
{
    private static readonly string[] Names = ["from", "to", "data", "database", "blobs", "out", "backup"];

    private readonly Dictionary<string, string> _options = new(StringComparer.Ordinal);
    private readonly Func<string, string?> _variable;

    private AdminArguments(Func<string, string?> variable) => _variable = variable;

    /// <exception cref="SettingsException">An option is unknown, given twice or lacks its value.</exception>
    public static AdminArguments Parse(IReadOnlyList<string> args, Func<string, string?> variable)
    {
        var arguments = new AdminArguments(variable);
        for (var i = 1; i < args.Count; i++)
        {
            var (name, inline) = args[i].Split('=', 2) is [var left, var right] ? (left, right) : (args[i], null);
            if (!name.StartsWith("--", StringComparison.Ordinal) || !Names.Contains(name[2..])) throw new SettingsException($"'{args[i]}' is no option of an admin command.");
            var value = inline ?? (++i < args.Count ? args[i] : throw new SettingsException($"{name} needs a value."));
            if (!arguments._options.TryAdd(name[2..], value)) throw new SettingsException($"{name} is given twice.");
        }

        return arguments;
    }

    public string? Find(string name) => _options.GetValueOrDefault(name);

    public string Need(string name) => Find(name) ?? throw new SettingsException($"--{name} is missing.");

    /// <summary>The PostgreSQL database it is about; null when it is about a data folder.</summary>
    public string? Postgres
    {
        get
        {
            if ((Find("data") is null) == (Find("database") is null)) throw new SettingsException("Either --data or --database is needed.");
            if (Find("database") is { } uri && !IsPostgres(uri)) throw new SettingsException("--database is postgres://user:password@host:port/name.");
            return Find("database");
        }
    }

    /// <summary>The data folder's database, or the file itself.</summary>
    public static string FileOf(string data) => Directory.Exists(data) || !File.Exists(data) ? Path.Combine(data, "millrace.db") : data;

    /// <summary>Where a data folder keeps its blobs unless <c>--blobs</c> says otherwise.</summary>
    public static string BlobsOf(string data) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(FileOf(data)))!, "blobs");

    public static bool IsPostgres(string uri) => uri.StartsWith("postgres://", StringComparison.Ordinal) || uri.StartsWith("postgresql://", StringComparison.Ordinal);

    /// <exception cref="Millrace.Storage.Admin.AdminException">There is no such file.</exception>
    public static SqliteDatabase OpenFile(string data)
    {
        var file = FileOf(data);
        if (!File.Exists(file)) throw new Millrace.Storage.Admin.AdminException($"There is no database {file}.");
        return SqliteDatabase.Open(file);
    }

    public static PostgresDatabase OpenPostgres(string uri)
    {
        try
        {
            // Long reads and pages of large rows are normal here.
            return PostgresDatabase.Open(uri, new PostgresOptions { SilenceMs = 600_000, StatementSeconds = 3_600 });
        }
        catch (ArgumentException e)
        {
            throw new SettingsException(e.Message);
        }
    }

    public BlobStore OpenBlobs(string place)
    {
        if (!place.StartsWith("s3://", StringComparison.Ordinal)) return new FileBlobStore(place, shared: true);
        if (_variable("MILLRACE_S3_ACCESS_KEY") is not { Length: > 0 } access || _variable("MILLRACE_S3_SECRET_KEY") is not { Length: > 0 } secret)
            throw new SettingsException("Blobs in a bucket need its key: set MILLRACE_S3_ACCESS_KEY and MILLRACE_S3_SECRET_KEY.");
        try
        {
            return new S3BlobStore(S3Options.Parse(place, access, secret));
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            throw new SettingsException(e.Message);
        }
    }
}
