namespace Millrace.Storage.Bus;

/// <summary>One live event. Every subscriber gets the same payload object, so it must not be changed once published.</summary>
/// <param name="Position">Its position in the durable log; 0 for what is shown live only and never stored.</param>
/// <param name="Payload">What both sides agree on for the topic, such as a record or UTF-8 JSON as <see cref="ReadOnlyMemory{T}"/> of bytes.</param>
public readonly record struct BusMessage(long Position, object Payload);
