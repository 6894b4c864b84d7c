namespace Millrace.Workflows.Schema;

/// <summary>A validation reached a limit (depth of references, time of a regular expression).</summary>
public sealed class SchemaLimitException(string message) : Exception(message);
