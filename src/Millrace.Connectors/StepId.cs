using System.Security.Cryptography;
using System.Text;
using Millrace.Engine.Functions;

namespace Millrace.Connectors;

/// <summary>Identifiers that are the same in every attempt at a step, so that who gets them can drop a repetition.</summary>
internal static class StepId
{
    /// <summary>A UUID of version 8 (RFC 9562, 5.8) from the step's key.</summary>
    public static string Of(FunctionContext context)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(context.IdempotencyKey)).AsSpan(0, 16);
        bytes[6] = (byte)(bytes[6] & 0x0f | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3f | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }
}
