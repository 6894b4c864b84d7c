using System.Security.Cryptography;
using System.Text;
using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Catalog;

/// <summary>Hashes the UTF-8 bytes of <c>text</c> by <c>algorithm</c>: sha256 (default), sha384, sha512. Output: algorithm and hex, in lower case.</summary>
internal sealed class HashFunction : ConnectorFunction
{
    public override FunctionDescriptor Descriptor { get; } = new("hash", "1.0.0", Capability.Compute, Idempotency.Pure, Lane.Cpu)
    {
        Summary = "Hashes a text.",
        InputSchema = JsonText.Parse("""
            {
              "type": "object",
              "required": ["text"],
              "additionalProperties": false,
              "properties": {"text": {"type": "string"}, "algorithm": {"enum": ["sha256", "sha384", "sha512"]}}
            }
            """),
        OutputSchema = JsonText.Parse("""{"type": "object", "required": ["algorithm", "hex"]}"""),
    };

    protected override ValueTask<Json> RunAsync(FunctionContext context, Arguments arguments, CancellationToken cancel)
    {
        var algorithm = arguments.Choice("algorithm", "sha256", "sha256", "sha384", "sha512");
        var bytes = Encoding.UTF8.GetBytes(arguments.Text("text"));
        var hash = algorithm switch
        {
            "sha384" => SHA384.HashData(bytes),
            "sha512" => SHA512.HashData(bytes),
            _ => SHA256.HashData(bytes),
        };
        return ValueTask.FromResult(Json.Object("algorithm", algorithm, "hex", Convert.ToHexStringLower(hash)));
    }
}
