using System.Text;
using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Grpc;

/// <summary>
/// Reads proto files, in proto2 and proto3, with what they import: files of google/protobuf, google/api, google/rpc and google/type are known; others are
/// read from where the first file lies, as <c>protoc -I</c> of its folder would.
/// </summary>
internal sealed partial class ProtoFiles(HttpSender sender, GrpcSettings settings)
{
    private static readonly HashSet<string> Known = [.. typeof(FileDescriptorSet).Assembly.GetManifestResourceNames()];

    private readonly KeptResources<ProtoSchema> _kept = new(settings.ProtosMax, settings.ProtoLifetime);

    /// <param name="resource">The task's <c>proto</c>.</param>
    /// <exception cref="Refusal">A file cannot be read, or is no proto.</exception>
    public Task<ProtoSchema> FindAsync(Arguments resource, Json? input, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var (address, policy) = ExternalResource.Locate(resource, input, context, redaction, sender.ReadsFiles);
        return _kept.FindAsync(address, policy, context, () => ReadAsync(address, policy, context, redaction, cancel));
    }

    private async Task<ProtoSchema> ReadAsync(Uri address, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var root = Uri.UnescapeDataString(address.Segments[^1]);
        var texts = new Dictionary<string, string>(StringComparer.Ordinal) { [root] = await TextAsync(address, policy, context, redaction, cancel) };
        while (true)
        {
            var (schema, missing) = Parse(root, texts, redaction.Clean(address));
            if (schema is not null) return schema;
            foreach (var name in missing)
            {
                if (texts.Count >= settings.ProtoFilesMax) throw Invalid(redaction.Clean(address), $"it imports more than {settings.ProtoFilesMax} files");
                texts[name] = await TextAsync(new Uri(address, Uri.EscapeDataString(name).Replace("%2F", "/", StringComparison.Ordinal)), policy, context, redaction, cancel);
            }
        }
    }

    private async Task<string> TextAsync(Uri address, AuthenticationPolicy? policy, FunctionContext context, Redaction redaction, CancellationToken cancel)
    {
        var answer = await ExternalResource.FetchAsync(address, policy, sender, context, redaction, cancel);
        if (answer.Content.Length > settings.ProtoBytesMax)
            throw Invalid(redaction.Clean(address), $"it has {answer.Content.Length} bytes, the limit is {settings.ProtoBytesMax}");
        return Encoding.UTF8.GetString(answer.Content.Span);
    }

    private static (ProtoSchema? Schema, IReadOnlyList<string> Missing) Parse(string root, Dictionary<string, string> texts, string address)
    {
        // The parser throws for such an import, without its name.
        foreach (var text in texts.Values)
            foreach (Match import in Import().Matches(text))
                if (import.Groups[1].Value is var name && (name.StartsWith('/') || name.Contains("..", StringComparison.Ordinal) || name.Contains(':', StringComparison.Ordinal)))
                    throw Invalid(address, $"it imports '{name}', which is no path below its own folder");
        var files = new Files(texts);
        var set = new FileDescriptorSet { FileSystem = files };
        set.AddImportPath("");
        set.Add(root, true, new StringReader(texts[root]));
        set.Process();
        if (files.Missing.Count > 0) return (null, [.. files.Missing]);
        if (set.GetErrors().FirstOrDefault(e => e.IsError) is { } error)
            throw Invalid(address, $"{error.File}, line {error.LineNumber}, column {error.ColumnNumber}: {error.Message}");
        return (new ProtoSchema(set), []);
    }

    [GeneratedRegex("""^\s*import\s+(?:public\s+|weak\s+)?["']([^"']*)["']""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Import();

    private static Refusal Invalid(string address, string why) => Refusal.Configuration("Proto invalid", $"The proto {address} cannot be used: {why}.");

    /// <summary>What was fetched so far; never the machine's own files.</summary>
    private sealed class Files(Dictionary<string, string> texts) : IFileSystem
    {
        public HashSet<string> Missing { get; } = [];

        public bool Exists(string path)
        {
            var name = path.Replace('\\', '/');
            if (texts.ContainsKey(name)) return true;
            if (!Known.Contains($"ProtoBuf.{name.Replace('/', '.')}")) Missing.Add(name);
            return false;
        }

        public TextReader OpenText(string path) => new StringReader(texts[path.Replace('\\', '/')]);
    }
}
