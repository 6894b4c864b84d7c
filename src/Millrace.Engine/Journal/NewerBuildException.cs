namespace Millrace.Engine.Journal;

/// <summary>
/// What a newer build has written, and this one does not know: an entry, a signal, a definition. A run that holds it is left as it is for
/// a worker of a newer build.
/// </summary>
public sealed class NewerBuildException(string message) : Exception(message);
