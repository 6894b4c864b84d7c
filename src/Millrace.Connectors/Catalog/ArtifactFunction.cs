using System.Net.Http.Headers;
using System.Text;
using Millrace.Connectors.Http;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Catalog;

/// <summary>
/// Keeps a file with the run. Arguments: <c>name</c>; <c>content</c>, a string (its text, or its bytes when <c>encoding</c> is <c>base64</c>) or any
/// other value (its JSON, indented); <c>mediaType</c>, by default from the name's ending. Output: name, mediaType, size in bytes, sha256, and path where
/// the file lies on this machine. The same name again replaces the file, so an attempt may be repeated.
/// </summary>
internal sealed class ArtifactFunction(CatalogSettings settings) : ConnectorFunction
{
    private const int NameCharsMax = 200;

    private static readonly Dictionary<string, string> MediaTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        [".txt"] = "text/plain; charset=utf-8",
        [".md"] = "text/markdown; charset=utf-8",
        [".csv"] = "text/csv; charset=utf-8",
        [".html"] = "text/html; charset=utf-8",
        [".xml"] = "application/xml",
        [".yaml"] = "application/yaml",
        [".yml"] = "application/yaml",
        [".json"] = "application/json",
        [".pdf"] = "application/pdf",
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".zip"] = "application/zip",
    };

    public override FunctionDescriptor Descriptor { get; } = new("artifact", "1.0.0", Capability.Write, Idempotency.Idempotent, Lane.Io)
    {
        Summary = "Keeps a file with the run.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["name", "content"],
              "additionalProperties": false,
              "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 200},
                "content": {},
                "mediaType": {"type": "string"},
                "encoding": {"enum": ["text", "base64"]}
              }
            }
            """),
        OutputSchema = JsonText.Parse("""{"type": "object", "required": ["name", "mediaType", "size", "sha256"]}"""),
    };

    protected override async ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var name = Name(arguments);
        var (bytes, otherwise) = Content(arguments);
        if (bytes.LongLength > settings.ArtifactBytesMax)
            throw Refusal.Configuration("Artifact too large", $"The artifact '{name}' has {bytes.LongLength} bytes, the limit is {settings.ArtifactBytesMax}.");
        var mediaType = arguments.TextOrNull("mediaType") ?? MediaTypes.GetValueOrDefault(Path.GetExtension(name), otherwise);
        if (!MediaTypeHeaderValue.TryParse(mediaType, out _)) throw arguments.Invalid("mediaType", "has to be a media type such as text/plain.");
        var info = await context.SaveArtifactAsync(name, mediaType, bytes, cancel);
        var output = new JsonObject.Builder().Set("name", info.Name).Set("mediaType", info.MediaType).Set("size", info.Size).Set("sha256", info.Sha256);
        if (info.Path is not null) output.Set("path", info.Path);
        return output.Build();
    }

    private static string Name(Arguments arguments)
    {
        var name = arguments.Text("name");
        return name.Length is > 0 and <= NameCharsMax && name is not ("." or "..") && name.Trim() == name && !name.Any(c => c is '/' or '\\' || char.IsControl(c))
            ? name
            : throw arguments.Invalid("name", $"has to be a file name of 1 to {NameCharsMax} characters, without slashes, control characters or blanks at its ends.");
    }

    private static (byte[] Bytes, string MediaType) Content(Arguments arguments)
    {
        var encoding = arguments.Choice("encoding", "text", "text", "base64");
        if (!arguments.Value.AsObject().Has("content")) throw arguments.Missing("content");
        var content = arguments["content"];
        if (encoding == "text")
            return content.StringOrNull is { } text ? (Encoding.UTF8.GetBytes(text), MediaTypes[".txt"]) : (JsonText.ToUtf8(content, indented: true), HttpBody.Json);
        try
        {
            return (Convert.FromBase64String(arguments.Text("content")), "application/octet-stream");
        }
        catch (FormatException)
        {
            throw arguments.Invalid("content", "is no base64.");
        }
    }
}
